import { CLASSES, type FailureClass } from '../../failures/classes.ts'
import type { RunSettings } from '../../ledger/nights/run-request.ts'

/** What follows a failed attempt. Times are ISO 8601 in UTC; `reason` completes "the run ...". */
export type RetryDecision =
  | { action: 'retry'; at: string; reason: string }
  /** Late data: no attempt is counted; check again at `at`, and for the last time at `until`. */
  | { action: 'wait'; at: string; until: string; reason: string }
  | { action: 'hold'; reason: string }
  | { action: 'fail'; reason: string }

/**
 * The part of a run that determines the decision. `waiting_since`: when its data was first found late, null if it was
 * not.
 */
export type RetrySettings = Pick<RunSettings, 'attempts' | 'backoff_ms' | 'wait_until'> & {
  waiting_since: string | null
}

const LONGEST_BACKOFF_MS = 30 * 60_000
const MINUTE = 60_000
/** Delays between checks for late data: short at first, since most data is only minutes late. The last one repeats. */
const PAUSES = [1 * MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE]

/**
 * Decides by failure class alone whether to wait, retry, hold or stop. `attempt` is the number of the failed attempt,
 * from 1; `random` is in [0, 1). The decision is made only here.
 */
export function decide(
  failureClass: FailureClass,
  attempt: number,
  settings: RetrySettings,
  now: string,
  random: number,
): RetryDecision {
  const { policy } = CLASSES[failureClass]
  switch (policy) {
    case 'wait':
      return waitOrFail(settings, now)
    case 'hold':
      return { action: 'hold', reason: 'is held until a person releases or retries it' }
    case 'stop':
      return { action: 'fail', reason: 'failed: the same model would fail again' }
    case 'retry':
      return retryOrFail(attempt, settings.attempts, settings, now, random)
    case 'retry once':
      // A bug fails again; one retry distinguishes it from an unclassified temporary error.
      return retryOrFail(attempt, Math.min(settings.attempts, 2), settings, now, random)
    default:
      return unknownPolicy(policy)
  }
}

/**
 * Milliseconds until the next check for data, after this many milliseconds of waiting: 1, 2, 5, 10, 15, 15 ...
 * minutes.
 */
export function nextWait(waitedSoFar: number): number {
  let end = 0
  for (const pause of PAUSES) {
    // A check takes time and starts late: a tolerance of half a delay keeps the steps in order.
    if (waitedSoFar < end + pause / 2) return pause
    end += pause
  }
  return PAUSES.at(-1) ?? MINUTE
}

/** Milliseconds before attempt `attempt` + 1: the backoff doubled each time, at most 30 min, plus up to half of it. */
export function backoff(attempt: number, backoffMs: number, random: number): number {
  const base = Math.min(backoffMs * 2 ** (attempt - 1), LONGEST_BACKOFF_MS)
  return Math.round(base * (1 + random / 2))
}

function retryOrFail(
  attempt: number,
  attempts: number,
  settings: RetrySettings,
  now: string,
  random: number,
): RetryDecision {
  if (attempt >= attempts)
    return { action: 'fail', reason: `failed: attempt ${attempt} of ${attempts} was its last` }
  const at = iso(Date.parse(now) + backoff(attempt, settings.backoff_ms, random))
  return { action: 'retry', at, reason: `will be retried at ${at}, attempt ${attempt + 1} of ${attempts}` }
}

function waitOrFail(settings: RetrySettings, now: string): RetryDecision {
  if (settings.wait_until === null) {
    return { action: 'fail', reason: 'failed: waiting for data is disabled (retry.wait_for_data)' }
  }
  const until = Date.parse(settings.wait_until)
  const clock = Date.parse(now)
  if (clock >= until) return { action: 'fail', reason: `failed: it waited for data until ${iso(until)}` }
  const waited = settings.waiting_since === null ? 0 : clock - Date.parse(settings.waiting_since)
  const at = iso(Math.min(clock + nextWait(waited), until))
  return {
    action: 'wait',
    at,
    until: iso(until),
    reason: `waits for data until ${iso(until)}; next check at ${at}`,
  }
}

function unknownPolicy(policy: never): never {
  throw new Error(`expected the policy of a failure class, got: ${String(policy)}`)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

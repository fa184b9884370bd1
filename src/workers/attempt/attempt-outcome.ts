import type { ClientBase } from 'pg'
import { decide, type RetryDecision } from '../../jobs/planning/retry-decision.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { countedAttempts, holdsFence } from '../../ledger/nights/attempt-records.ts'
import { attemptId, findRun, type Run } from '../../ledger/nights/run-records.ts'
import { failRun, handBackRun, holdRun, retryRun, waitForData } from '../../ledger/nights/run-transitions.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { Failure } from '../../pipeline/engine/failure.ts'
import { keptStack } from '../../pipeline/engine/stack.ts'
import { brokenStructure } from '../../pipeline/features/releasable.ts'
import { removeAttempts } from '../../storage/warehouse-files.ts'
import type { Context } from '../context.ts'
import { postponePublication } from '../postpone.ts'
import { type Result, recordResult } from './publication.ts'
import { notifyFailure } from './report-night.ts'
import type { Tried } from './steps.ts'

export interface Recorded {
  sentence: string
  failed: boolean
}

/**
 * Records how an attempt failed and what follows: another attempt, a wait, or a held or failed run with its mail. All
 * in one transaction, so that a run never ends without its report.
 *
 * A committed output that is not published yet is not a failed attempt: its publication is retried (postpone.ts).
 *
 * `fence` is absent if another process reports a lost attempt; it throws if the attempt has its slot locked for long. `result` is the computed output, kept if the run is
 * held, so that it can be released.
 * @returns a sentence for the log, and whether the attempt counts as failed: waiting for data does not
 */
export async function recordFailure(
  context: Context,
  run: Run,
  attempt: Tried & { fence?: number },
  failure: Failure,
  result?: Result,
): Promise<Recorded> {
  let kept = true
  let failed = true
  const sentence = await transaction(context.database, async (client) => {
    if (attempt.fence === undefined) await client.query(`set local lock_timeout = '${LOCK_WAIT}'`)
    const now = (await context.clock(client)).toISOString()
    const slot = await lockSlot(client, run.slot)
    const latest = await findRun(client, run.id)
    if (latest?.state === 'publishing' && latest.attempt === attempt.number) {
      return await postponePublication(client, context, { slot, run: latest, checks: [] }, failure)
    }
    const owned =
      attempt.fence === undefined
        ? await isRunning(client, run.id, attempt.number)
        : await holdsFence(client, run.id, attempt.fence)
    if (!owned) return 'another attempt has taken over this run; nothing recorded'
    const record = failure.toRecord()
    const lost = failure.evidence.lost === true
    const broken = brokenStructure(result?.checks ?? [])
    const decision: RetryDecision = holdable(failure, result)
      ? { action: 'hold', reason: heldBecause(broken) }
      : decide(
          failure.failureClass,
          await countedAttempts(client, run.id),
          { ...run.settings, waiting_since: run.waiting_since },
          now,
          Math.random(),
        )
    const stack = failure.failureClass === 'bug' ? keptStack(failure) : undefined
    const { number, steps } = attempt
    const ended = { slot, run, number, steps, usage: attempt.usage?.(), failure: record, stack, lost }
    if (failure.evidence.closing === true) {
      kept = false
      failed = false
      await handBackRun(client, ended, now)
      return 'its worker closes and hands it back: another takes it at once'
    }
    kept = decision.action === 'hold' && result !== undefined && broken.length === 0
    failed = decision.action !== 'wait'
    if (result !== undefined) await recordResult(client, context.warehouse, run, result, { kept })
    switch (decision.action) {
      case 'retry': {
        // A lost worker is no evidence against the work itself: another worker starts it at once.
        await retryRun(client, ended, lost ? now : decision.at)
        return lost ? `starts again at once, attempt ${attempt.number + 1}` : decision.reason
      }
      case 'wait':
        await waitForData(client, ended, {
          at: decision.at,
          since: run.waiting_since ?? now,
          until: decision.until,
        })
        return decision.reason
      case 'hold':
        await holdRun(client, ended)
        break
      case 'fail':
        await failRun(client, ended)
        break
    }
    const state = decision.action === 'hold' ? 'held' : 'failed'
    const night = { slot, run: { ...run, state }, checks: result?.checks ?? [] } as const
    await notifyFailure(client, context, night, record, state)
    return `${state}: ${failure.message}`
  })
  // Output that cannot be released is useless.
  if (!kept) await removeAttempts(context.warehouse, [attemptId(run.id, attempt.number)])
  return { sentence, failed }
}

/**
 * How long somebody else's attempt is waited for. A worker that was stopped within its commit keeps its slot locked for 15 s
 * (slots.ts), and the round that looks at this slot has others to look at: it comes again.
 */
const LOCK_WAIT = '1s'

async function isRunning(client: ClientBase, run: string, attempt: number): Promise<boolean> {
  const now = await findRun(client, run)
  return now?.state === 'running' && now.attempt === attempt
}

function heldBecause(broken: Check[]): string {
  return broken.length === 0
    ? 'is held until a person releases or retries it'
    : 'is held and cannot be released; fix the cause and retry it'
}

/** A failed check on a whole partition holds it; `brokenStructure` decides which checks a person may override. */
function holdable(failure: Failure, result: Result | undefined): boolean {
  return result !== undefined && failure.failureClass !== 'late-data'
}

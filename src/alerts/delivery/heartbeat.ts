import type { AlertLog } from './alert-log.ts'

/** Not more often than this: a service that watches expects minutes, not seconds. */
const EVERY_MS = 60_000
const TIMEOUT_MS = 10_000

/**
 * Tells an external service that nights are being looked after, so that the death of everything here is noticed
 * elsewhere. `healthy` is called after each good reconcile (it asks at most once a minute), `published` after each
 * published night. Never throws and never waits: a service that is away is logged once per outage.
 */
export function openHeartbeat(
  url: () => string | undefined,
  log: AlertLog,
): { healthy(): void; published(): void } {
  let askedAt = Number.NEGATIVE_INFINITY
  let away = false

  const ask = async () => {
    const target = url()
    if (target === undefined) return
    askedAt = performance.now()
    try {
      const answer = await fetch(target, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'follow' })
      if (!answer.ok) throw new Error(`it answered ${answer.status}`)
      if (away) log.info({}, 'the heartbeat is heard again')
      away = false
    } catch (error) {
      if (!away)
        log.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'the heartbeat was not heard',
        )
      away = true
    }
  }
  return {
    healthy() {
      if (performance.now() - askedAt >= EVERY_MS) void ask()
    },
    published: () => void ask(),
  }
}

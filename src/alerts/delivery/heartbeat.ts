import type { AlertLog } from './alert-log.ts'

/** Minimum interval: monitoring services expect minutes, not seconds. */
const EVERY_MS = 60_000
const TIMEOUT_MS = 10_000

/**
 * Pings an external service while the project's processes run, so that an outage of all of them is noticed elsewhere.
 * `healthy` is called after each successful reconcile (it pings at most once a minute), `published` after each
 * published night. Never throws and never waits: an unreachable service is logged once per outage.
 */
export function openHeartbeat(
  url: () => string | undefined,
  log: AlertLog,
): { healthy(): void; published(): void } {
  let pingedAt = Number.NEGATIVE_INFINITY
  let unreachable = false

  const ping = async () => {
    const target = url()
    if (target === undefined) return
    pingedAt = performance.now()
    try {
      const answer = await fetch(target, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'follow' })
      if (!answer.ok) throw new Error(`the service answered ${answer.status}`)
      if (unreachable) log.info({}, 'the heartbeat URL is reachable again')
      unreachable = false
    } catch (error) {
      if (!unreachable)
        log.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'the heartbeat URL is unreachable',
        )
      unreachable = true
    }
  }
  return {
    healthy() {
      if (performance.now() - pingedAt >= EVERY_MS) void ping()
    },
    published: () => void ping(),
  }
}

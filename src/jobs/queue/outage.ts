import type { Log } from './queue-engine.ts'

/** Server errors closer together than this belong to one outage. */
const QUIET_MS = 30_000

export interface Outage {
  /** Reports the first error of an outage and ignores the others. */
  failed(error: Error): void
  /** Ends the outage and reports the end if there was one. */
  over(): void
  /** The last error, until the outage ends. */
  error(): Error | undefined
}

/** Clients retry several times a second and report every error: log one line at the start and one at the end. */
export function followOutage(what: string, log: Log): Outage {
  let last = Number.NEGATIVE_INFINITY
  let latest: Error | undefined
  return {
    failed(error) {
      const now = performance.now()
      if (now - last > QUIET_MS) log('warn', `${what}: ${reason(error)}; retrying until it answers`)
      last = now
      latest = error
    },
    over() {
      if (performance.now() - last < QUIET_MS) log('info', `${what} is available again`)
      last = Number.NEGATIVE_INFINITY
      latest = undefined
    },
    error: () => latest,
  }
}

/** A connection refused at several addresses has an empty message; the details are in its parts. */
function reason(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map(String).join('; ')
  return 'code' in error ? String(error.code) : error.name
}

import type { Log } from './queues.ts'

/** Errors of a server that follow one another closer than this are one outage. */
const QUIET_MS = 30_000

export interface Outage {
  /** Says the first error of an outage and swallows the rest. */
  failed(error: Error): void
  /** Ends the outage, and says so where there was one. */
  over(): void
  /** The last error, until it is over. */
  error(): Error | undefined
}

/** Clients try again several times a second and complain each time: one line when it begins, one when it ends. */
export function followOutage(what: string, log: Log): Outage {
  let last = Number.NEGATIVE_INFINITY
  let latest: Error | undefined
  return {
    failed(error) {
      const now = performance.now()
      if (now - last > QUIET_MS) log('warn', `${what}: ${reason(error)}; trying again until it answers`)
      last = now
      latest = error
    },
    over() {
      if (performance.now() - last < QUIET_MS) log('info', `${what} answers again`)
      last = Number.NEGATIVE_INFINITY
      latest = undefined
    },
    error: () => latest,
  }
}

/** A refused connection to several addresses has an empty message and says it in its parts. */
function reason(error: Error): string {
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map(String).join('; ')
  return 'code' in error ? String(error.code) : error.name
}

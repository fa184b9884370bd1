import { createPostgresBackend } from 'bullmq'

/** Milliseconds since 1970 by the server's clock, in place of a parameter whose type must be kept. */
const byServer = (parameter: string) =>
  `(${parameter}::bigint * 0 + (extract(epoch from clock_timestamp()) * 1000)::bigint)`

/**
 * BullMQ's PostgreSQL backend with the server's clock for its locks. The original passes the worker's own time to its
 * statements: a worker whose clock is behind would hold locks that others consider expired, and would lose its jobs
 * again and again. (In Redis, locks expire by the server's clock.)
 */
export const createBackend: typeof createPostgresBackend = (...given) => {
  const backend = createPostgresBackend(...given)
  const query: unknown = Reflect.get(backend, 'query')
  if (typeof query !== 'function') throw new Error("expected BullMQ's backend to have a method query")
  Object.defineProperty(backend, 'query', {
    async value(text: string, parameters: unknown[]) {
      const given = timeParameter(text)
      const answer: unknown = await Reflect.apply(query, backend, [onServerClock(text), parameters])
      if (given !== undefined) inOwnTime(answer, parameters[given - 1])
      return answer
    },
  })
  return backend
}

/** The worker uses the job's start, by its own clock, to decide when to renew the lock. */
function inOwnTime(answer: unknown, now: unknown): void {
  const rows: unknown = answer instanceof Object && 'rows' in answer ? answer.rows : []
  for (const row of Array.isArray(rows) ? rows : []) {
    if (row instanceof Object && 'processed_at_ms' in row) row.processed_at_ms = now
  }
}

/** The position of the time among a statement's parameters, from 1, according to its comment: `$4 now_ms`. */
function timeParameter(text: string): number | undefined {
  const found = /\$(\d+) now_ms\b/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A BullMQ statement with the server's time in place of the worker's. */
export function onServerClock(text: string): string {
  const given = timeParameter(text)
  if (given === undefined) return text
  const own = new RegExp(`\\$${given}(?!\\d)`, 'g')
  return text
    .split('\n')
    .map((line) => (line.startsWith('--') ? line : line.replace(own, () => byServer(`$${given}`))))
    .join('\n')
}

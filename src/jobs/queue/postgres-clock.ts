import { createPostgresBackend } from 'bullmq'

/** Milliseconds since 1970 by the server, in the place of a parameter that has to keep its type. */
const byServer = (parameter: string) =>
  `(${parameter}::bigint * 0 + (extract(epoch from clock_timestamp()) * 1000)::bigint)`

/**
 * BullMQ's PostgreSQL backend, with the server's clock for its locks. It hands its statements the worker's own time:
 * a worker whose clock is behind would hold locks that are over for the others, and its jobs be taken from it for ever.
 * (In Redis, locks run out by the server's clock.)
 */
export const createBackend: typeof createPostgresBackend = (...given) => {
  const backend = createPostgresBackend(...given)
  const query: unknown = Reflect.get(backend, 'query')
  if (typeof query !== 'function') throw new Error("expected BullMQ's backend to ask by its method query")
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

/** The worker counts from a job's start, by its own clock, when it renews the lock. */
function inOwnTime(answer: unknown, now: unknown): void {
  const rows: unknown = answer instanceof Object && 'rows' in answer ? answer.rows : []
  for (const row of Array.isArray(rows) ? rows : []) {
    if (row instanceof Object && 'processed_at_ms' in row) row.processed_at_ms = now
  }
}

/** Which of a statement's parameters is the time, counted from 1, as its comment says: `$4 now_ms`. */
function timeParameter(text: string): number | undefined {
  const found = /\$(\d+) now_ms\b/.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A statement of BullMQ's with the server's time in the place of the worker's. */
export function onServerClock(text: string): string {
  const given = timeParameter(text)
  if (given === undefined) return text
  const own = new RegExp(`\\$${given}(?!\\d)`, 'g')
  return text
    .split('\n')
    .map((line) => (line.startsWith('--') ? line : line.replace(own, () => byServer(`$${given}`))))
    .join('\n')
}

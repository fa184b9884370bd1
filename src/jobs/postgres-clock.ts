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
  const known = new Map<string, string>()
  Object.defineProperty(backend, 'query', {
    value(text: string, parameters: unknown[]) {
      const statement = known.get(text) ?? onServerClock(text)
      known.set(text, statement)
      return Reflect.apply(query, backend, [statement, parameters])
    },
  })
  return backend
}

/** A statement of BullMQ's, whose comment says which of its parameters is the time: `$4 now_ms`. */
export function onServerClock(text: string): string {
  const parameter = /(\$\d+) now_ms\b/.exec(text)?.[1]
  if (parameter === undefined) return text
  const own = new RegExp(`\\${parameter}(?!\\d)`, 'g')
  return text
    .split('\n')
    .map((line) => (line.startsWith('--') ? line : line.replace(own, () => byServer(parameter))))
    .join('\n')
}

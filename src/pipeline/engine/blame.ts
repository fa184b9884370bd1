import { contract } from '../sources/sources.ts'
import { openEngine } from './duckdb.ts'
import { readEngineError } from './engine-error.ts'
import { Failure } from './failure.ts'
import { parquet } from './quote.ts'

/** Errors that a broken file can cause. A wrong cast or name in SQL is not among them. */
const SUSPECT = new Set([
  'INTERNAL',
  'FATAL',
  'Invalid',
  'Invalid Input',
  'IO',
  'Serialization',
  'Not implemented',
  'Out of Range',
])

export interface Suspect {
  source: string
  path: string
  shown: string
}

/**
 * Finds the input file that made a query fail. Reads each file completely in its own engine, because an INTERNAL
 * error makes an engine unusable. Costs about as much as the failed query. Returns a contract Failure that names the
 * file, or the original error if every file can be read.
 */
export async function blame(
  error: unknown,
  suspects: Suspect[],
  { temp, threads }: { temp: string; threads: number },
): Promise<unknown> {
  const engineError = error instanceof Failure ? undefined : readEngineError(error)
  if (engineError === undefined || !SUSPECT.has(engineError.type)) return error
  const named = suspects.find(({ path }) => engineError.message.includes(path))
  if (named !== undefined) return broken(named, engineError.message, error)
  let engine = await openEngine({
    readable: suspects.map(({ path }) => path),
    writable: [],
    temp,
    threads,
    timezone: 'UTC',
  })
  try {
    for (const suspect of suspects) {
      try {
        await engine.run(`SELECT bit_xor(hash(COLUMNS(*))) FROM ${parquet(suspect.path)}`)
      } catch (cause) {
        const words = readEngineError(cause)
        if (words !== undefined && SUSPECT.has(words.type)) return broken(suspect, words.message, cause)
        engine.close()
        engine = await openEngine({
          readable: suspects.map(({ path }) => path),
          writable: [],
          temp,
          threads,
          timezone: 'UTC',
        })
      }
    }
    return error
  } finally {
    engine.close()
  }
}

function broken({ source, shown, path }: Suspect, words: string, cause: unknown): Failure {
  return contract(
    source,
    shown,
    `the file is broken: DuckDB cannot read it (${words.replaceAll(path, () => shown)}). Rewrite the file`,
    cause,
  )
}

import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import type { ScoreFacts, StepTime } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import { readBack } from '../partition/read-back.ts'
import { checkScores } from '../scoring/score-checks.ts'
import { copyTo, type ScoreRequest, scoreFacts } from '../scoring/score-partition.ts'
import { expectEachOnce, expectPart } from './expect-parts.ts'
import { mergeTallies, mergeUnknown } from './merge-facts.ts'
import type { Part } from './score-shard.ts'

export interface JoinRequest extends ScoreRequest {
  /** In their order. */
  parts: Part[]
  /** How many there have to be, and rows of all. */
  shards: number
  rows: number
  /** Of the file of all features. */
  featuresSha256: string
}

/**
 * Joins the parts of all shards into the one sorted file that scoring the partition at once would have written, whole and read
 * back, but not published. Streams: memory does not grow with the rows. Checks that fail are facts for the caller. Throws Failures
 * where a part is missing, there twice, or not what its worker wrote.
 */
export async function joinShards(request: JoinRequest): Promise<ScoreFacts> {
  const { parts, shards, rows, entity, score, mapping, out, progress } = request
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  expectEachOnce(parts, request)
  const features = await realpath(request.features)
  const files = parts.map(({ file }) => file.path)
  const folders = await Promise.all(
    [out, ...files].map((path) => realpath(dirname(path)).catch(() => undefined)),
  )
  const engine = await openEngine({
    readable: [features],
    writable: [...new Set(folders.flatMap((folder) => folder ?? []))],
    temp: request.temp,
    threads: request.threads,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    await timed('verify', async () => {
      const { featuresSha256, metadata } = request
      const whole = { rows, shards, features, featuresSha256, entity, metadata }
      for (const [index, part] of parts.entries()) {
        await expectPart(engine, part, whole)
        progress?.('verifying parts', index + 1, parts.length)
      }
    })
    const [first] = parts
    const reasons = first?.file.metadata.reasons
    const metadata = { ...request.metadata, ...(reasons === undefined ? {} : { reasons }) }
    progress?.('joining parts', 0, rows)
    await timed('join', () => engine.run(copyTo(`SELECT * FROM ${parquet(files)}`, out, metadata)))
    const file = await timed('read back', () =>
      readBack({ engine, path: out, entity, rows, metadata, ...(first && { columns: first.file.columns }) }),
    )
    const tally = mergeTallies(parts.map((part) => part.tally))
    const keys = entity.map(identifier).join(', ')
    const checks = await checkScores(tally, score, {
      connection: engine.connection,
      from: `(SELECT ${keys} FROM ${parquet(out)}) AS features POSITIONAL JOIN (SELECT ${identifier(score.column)} AS score FROM ${parquet(out)}) AS scores`,
      entity,
      output: mapping.output,
    })
    const unknown = mergeUnknown(parts.map((part) => part.unknown))
    return scoreFacts(request, { file, rows, tally, checks, unknown, steps })
  } finally {
    engine.close()
  }
}

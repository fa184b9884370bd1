import { realpath } from 'node:fs/promises'
import { openEngine } from '../engine/duckdb.ts'
import type { StepTime, UnknownValues, WrittenFile } from '../engine/facts.ts'
import { type ScoreRequest, scoreFile } from '../scoring/score-partition.ts'
import type { Tally } from '../scoring/tally.ts'
import { type EndKeys, endKeys } from './end-keys.ts'
import type { RowRange } from './row-ranges.ts'

export interface ShardRequest extends ScoreRequest {
  range: RowRange
  /** Where it stands among the shards, from 1. */
  shard: number
  shards: number
  /** Of the file of all features. */
  featuresSha256: string
}

/** A part: the scores of one range, written, synced, hashed and read back, and what is known of them. Plain data. */
export interface Part {
  shard: number
  range: RowRange
  file: WrittenFile
  /** The entities of its first and last row, as text. */
  keys: EndKeys
  tally: Tally
  unknown: UnknownValues[]
  steps: StepTime[]
}

/** Scores one range of a partition into a part. Throws as `scorePartition` does. */
export async function scoreShard(request: ShardRequest): Promise<Part> {
  const { entity, temp, range, shard } = request
  const metadata = { ...request.metadata, ...shardMetadata(request) }
  const { file, tally, unknown, steps } = await scoreFile({ ...request, metadata }, range)
  const out = await realpath(request.out)
  const engine = await openEngine({ readable: [out], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    const keys = await endKeys(engine, out, entity, { first: 0, rows: file.rows })
    return { shard, range, file, keys, tally, unknown, steps }
  } finally {
    engine.close()
  }
}

/** What a part says of itself beside what its run does. */
export function shardMetadata({
  shard,
  shards,
  range: { first, rows },
  featuresSha256,
}: Pick<ShardRequest, 'shard' | 'shards' | 'range' | 'featuresSha256'>): Record<string, string> {
  return {
    shard: `${shard} of ${shards}`,
    first_row: String(first),
    shard_rows: String(rows),
    features_sha256: featuresSha256,
  }
}

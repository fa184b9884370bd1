import { bytes as sizeText } from '../../format/sizes.ts'
import type { Shard } from '../../ledger/shards/split-records.ts'

/** A shard as commands and pages show it. */
export interface ShardFacts {
  attempt: number
  shard: number
  /** Of scores. */
  first_row: number | null
  /** Of features null until they are there. */
  rows: number | null
  /** Of features: which buckets, and the size of their files. */
  buckets: string[] | null
  bytes: number | null
  state: Shard['state']
  tries: number
  worker: string | null
  /** Of its last try; null while it has not ended. */
  seconds: number | null
  failure: string | null
}

export function shardFacts(shard: Shard): ShardFacts {
  const { attempt, first_row, rows, buckets, bytes, state, tries, worker, started_at, ended_at, failure } =
    shard
  return {
    attempt,
    shard: shard.shard,
    first_row,
    rows,
    buckets,
    bytes,
    state,
    tries,
    worker,
    seconds:
      started_at === null || ended_at === null
        ? null
        : (Date.parse(ended_at) - Date.parse(started_at)) / 1000,
    failure: failure?.message ?? null,
  }
}

/** Such as `0012 to 0015, 1.2 GB`; empty for a shard of scores. */
export function bucketsText({ buckets, bytes }: Pick<ShardFacts, 'buckets' | 'bytes'>): string {
  const [first] = buckets ?? []
  if (buckets === null || first === undefined) return ''
  const names = buckets.length === 1 ? first : `${first} to ${buckets.at(-1)}`
  return bytes === null ? names : `${names}, ${sizeText(bytes)}`
}

import type { Shard } from '../../ledger/shards/split-records.ts'

/** A shard as commands and pages show it. */
export interface ShardFacts {
  attempt: number
  shard: number
  first_row: number
  rows: number
  state: Shard['state']
  tries: number
  worker: string | null
  /** Of its last try; null while it has not ended. */
  seconds: number | null
  failure: string | null
}

export function shardFacts(shard: Shard): ShardFacts {
  const { attempt, first_row, rows, state, tries, worker, started_at, ended_at, failure } = shard
  return {
    attempt,
    shard: shard.shard,
    first_row,
    rows,
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

import type { ClientBase } from 'pg'
import type { StepTime, Usage } from '../../pipeline/engine/facts.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import type { RowRange } from '../../pipeline/shards/row-ranges.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import { attemptId } from '../nights/run-records.ts'
import type { Connection } from '../nights/slots.ts'

/** What every shard scores; the paths of model and features are relative to the warehouse, which each machine finds at its own. */
export type SplitRequest = Omit<ScoreRequest, 'out' | 'temp' | 'threads' | 'progress'>

/** An attempt that is scored in shards. */
export interface Split {
  run: string
  attempt: number
  shards: number
  rows: number
  /** The run whose features are scored, its file's sha256 and its stamp when it was pinned. */
  features: string
  features_sha: string | null
  features_file: string | null
  request: SplitRequest
  /** Of the attempt before it was split. */
  steps: StepTime[]
  created_at: string
  joining_at: string | null
}

/** One shard of it. */
export interface Shard {
  run: string
  attempt: number
  /** From 1. */
  shard: number
  first_row: number
  rows: number
  state: 'waiting' | 'running' | 'done'
  tries: number
  worker: string | null
  started_at: string | null
  ended_at: string | null
  /** Why its last try ended, where it did not end well. */
  failure: FailureRecord | null
  part: Part | null
  usage: Usage | null
}

/** Ids of jobs in the queue. */
export function shardJob(run: string, attempt: number, shard: number): string {
  return `${attemptId(run, attempt)}-s${shard}`
}

export function joinJob(run: string, attempt: number): string {
  return `${attemptId(run, attempt)}-join`
}

/** Splits an attempt. The caller holds the slot's lock, and the attempt's fence. */
export async function recordSplit(
  client: ClientBase,
  split: Omit<Split, 'shards' | 'created_at' | 'joining_at'>,
  ranges: RowRange[],
): Promise<void> {
  const { run, attempt } = split
  await client.query(
    `insert into nightshift.splits (run, attempt, shards, rows, features, features_sha, features_file, request, steps)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      run,
      attempt,
      ranges.length,
      split.rows,
      split.features,
      split.features_sha,
      split.features_file,
      JSON.stringify(split.request),
      JSON.stringify(split.steps),
    ],
  )
  await client.query(
    `insert into nightshift.shards (run, attempt, shard, first_row, rows)
     select $1, $2, n, first, size from unnest($3::bigint[], $4::bigint[]) with ordinality as r (first, size, n)`,
    [run, attempt, ranges.map(({ first }) => first), ranges.map(({ rows }) => rows)],
  )
}

export async function findSplit(
  connection: Connection,
  run: string,
  attempt: number,
): Promise<Split | undefined> {
  const { rows } = await connection.query<Split>(
    'select * from nightshift.splits where run = $1 and attempt = $2',
    [run, attempt],
  )
  return rows[0]
}

/** The shards of one attempt, or of all attempts of a run, in their order. */
export async function shardsOf(connection: Connection, run: string, attempt?: number): Promise<Shard[]> {
  const { rows } = await connection.query<Shard>(
    `select run, attempt, shard, first_row, rows, state, tries, worker, started_at, ended_at, failure, part, usage
       from nightshift.shards where run = $1 and ($2::int is null or attempt = $2) order by attempt, shard`,
    [run, attempt ?? null],
  )
  return rows
}

/** A running attempt that is split and not yet joined, with what is open of it. */
export interface OpenSplit {
  run: string
  attempt: number
  shards: number
  /** Milliseconds since it was split. */
  age_ms: number
  /** `silent_ms`: since its worker last named it; null: nobody has it. */
  open: { shard: number; silent_ms: number | null }[]
}

export async function openSplits(connection: Connection): Promise<OpenSplit[]> {
  const { rows } = await connection.query<OpenSplit>(
    `select s.run, s.attempt, s.shards, extract(epoch from clock_timestamp() - s.created_at)::float8 * 1000 as age_ms,
            coalesce((select json_agg(json_build_object('shard', h.shard, 'silent_ms',
                        case when h.state = 'running' then extract(epoch from clock_timestamp() - h.seen_at) * 1000 end)
                        order by h.shard)
                        from nightshift.shards h
                       where h.run = s.run and h.attempt = s.attempt and h.state <> 'done'), '[]') as open
       from nightshift.runs r
       join nightshift.splits s on s.run = r.id and s.attempt = r.attempt
      where r.state = 'running' and s.joining_at is null`,
  )
  return rows
}

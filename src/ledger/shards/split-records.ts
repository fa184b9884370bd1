import type { ClientBase } from 'pg'
import type { StepTime, Usage } from '../../pipeline/engine/facts.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { FeatureRequest } from '../../pipeline/features/compute-features.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import type { BucketGroup } from '../../pipeline/shards/bucket-groups.ts'
import type { FeaturePart } from '../../pipeline/shards/compute-shard.ts'
import type { Division } from '../../pipeline/shards/divide-features.ts'
import type { RowRange } from '../../pipeline/shards/row-ranges.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import { attemptId } from '../nights/run-records.ts'
import type { Connection } from '../nights/slots.ts'

/** What every shard scores; the paths of model and features are relative to the warehouse, which each machine finds at its own. */
export type ScoreSplitRequest = Omit<ScoreRequest, 'out' | 'temp' | 'threads' | 'progress'>

/** What every shard computes, and what was decided for all; the paths of the view's files are relative to the project's root. */
export interface FeatureSplitRequest {
  features: Omit<
    FeatureRequest,
    'root' | 'out' | 'temp' | 'threads' | 'memoryLimit' | 'known' | 'replaces' | 'waits' | 'progress'
  >
  division: Omit<Division, 'steps'>
}

interface Divided {
  run: string
  attempt: number
  shards: number
  /** Of the attempt before it was split. */
  steps: StepTime[]
  created_at: string
  joining_at: string | null
}

/** An attempt that is scored in ranges of rows. */
export interface ScoreSplit extends Divided {
  kind: 'scores'
  rows: number
  /** The run whose features are scored, its file's sha256 and its stamp when it was pinned. */
  features: string
  features_sha: string | null
  features_file: string | null
  request: ScoreSplitRequest
}

/** An attempt whose features are computed in buckets of the entity. */
export interface FeatureSplit extends Divided {
  kind: 'features'
  request: FeatureSplitRequest
}

/** An attempt in shards. */
export type Split = ScoreSplit | FeatureSplit

/** One shard of it. */
export interface Shard {
  run: string
  attempt: number
  /** From 1. */
  shard: number
  /** Of scores: the number of its first row, from 0. */
  first_row: number | null
  /** Of features null until it is done. */
  rows: number | null
  /** Of features: its buckets, and the size of their files. */
  buckets: string[] | null
  bytes: number | null
  state: 'waiting' | 'running' | 'done'
  tries: number
  worker: string | null
  started_at: string | null
  ended_at: string | null
  /** Why its last try ended, where it did not end well. */
  failure: FailureRecord | null
  part: Part | FeaturePart | null
  usage: Usage | null
}

/** Ids of jobs in the queue. */
export function shardJob(run: string, attempt: number, shard: number): string {
  return `${attemptId(run, attempt)}-s${shard}`
}

export function joinJob(run: string, attempt: number): string {
  return `${attemptId(run, attempt)}-join`
}

type Recorded<S extends Split> = Omit<S, 'shards' | 'created_at' | 'joining_at'>

/** Splits an attempt. The caller holds the slot's lock, and the attempt's fence. */
export async function recordSplit(
  client: ClientBase,
  split: Recorded<ScoreSplit> | Recorded<FeatureSplit>,
  shards: readonly (RowRange | BucketGroup)[],
): Promise<void> {
  const { run, attempt, kind } = split
  const scored = kind === 'scores' ? split : undefined
  await client.query(
    `insert into nightshift.splits (run, attempt, kind, shards, rows, features, features_sha, features_file, request, steps)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      run,
      attempt,
      kind,
      shards.length,
      scored?.rows ?? null,
      scored?.features ?? null,
      scored?.features_sha ?? null,
      scored?.features_file ?? null,
      JSON.stringify(split.request),
      JSON.stringify(split.steps),
    ],
  )
  await client.query(
    `insert into nightshift.shards (run, attempt, shard, first_row, rows, buckets, bytes)
     select $1, $2, n, (s->>'first')::bigint, (s->>'rows')::bigint, s->'buckets', (s->>'bytes')::bigint
       from jsonb_array_elements($3::jsonb) with ordinality as e (s, n)`,
    [run, attempt, JSON.stringify(shards)],
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
    `select run, attempt, shard, first_row, rows, buckets, bytes, state, tries, worker, started_at, ended_at, failure, part, usage
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

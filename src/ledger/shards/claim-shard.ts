import type { ClientBase } from 'pg'
import type { Usage } from '../../pipeline/engine/facts.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { FeaturePart } from '../../pipeline/shards/compute-shard.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import { findRun, type Run } from '../nights/run-records.ts'
import type { Connection } from '../nights/slots.ts'
import { findSplit, type Shard, type Split } from './split-records.ts'

/** A shard without a word of its worker for this long is taken over, as an attempt is (open-runs.ts). */
export const SHARD_LOST_MS = 10_000
/** Of one shard in one attempt. */
export const SHARD_TRIES = 5

export type ShardClaim =
  /** `left_ms`: until the attempt's timeout. */
  | { kind: 'started'; run: Run; split: Split; shard: Shard; fence: number; left_ms: number }
  /** Its worker was lost too often. */
  | { kind: 'exhausted'; run: Run; shard: Shard }
  /** Nothing to do: the attempt is over, the shard is done, or another worker has it in hand. */
  | { kind: 'ended'; reason: string }

/** Takes a shard for one try: its part is recorded only with this try's fence. */
export async function claimShard(
  client: ClientBase,
  { run: id, attempt, shard: number }: Pick<Shard, 'run' | 'attempt' | 'shard'>,
  worker: string,
): Promise<ShardClaim> {
  const run = await findRun(client, id)
  const split = await findSplit(client, id, attempt)
  if (run === undefined || split === undefined || run.state !== 'running' || run.attempt !== attempt)
    return { kind: 'ended', reason: `attempt ${attempt} of run ${id} is over` }
  const { rows } = await client.query<Shard & { silent_ms: number; age_ms: number }>(
    `select h.*, extract(epoch from clock_timestamp() - h.seen_at)::float8 * 1000 as silent_ms,
            extract(epoch from clock_timestamp() - s.created_at)::float8 * 1000 as age_ms
       from nightshift.shards h join nightshift.splits s on s.run = h.run and s.attempt = h.attempt
      where h.run = $1 and h.attempt = $2 and h.shard = $3 for update of h`,
    [id, attempt, number],
  )
  const [shard] = rows
  if (shard === undefined || shard.state === 'done')
    return { kind: 'ended', reason: shard === undefined ? `there is no shard ${number}` : 'it is done' }
  if (shard.state === 'running' && shard.silent_ms <= SHARD_LOST_MS)
    return { kind: 'ended', reason: `${shard.worker} has it in hand` }
  if (shard.tries >= SHARD_TRIES) return { kind: 'exhausted', run, shard }
  const { rows: taken } = await client.query<{ fence: number }>(
    `update nightshift.shards
        set state = 'running', tries = tries + 1, fence = nextval('nightshift.fences'), worker = $4, failure = null,
            started_at = clock_timestamp(), seen_at = clock_timestamp()
      where run = $1 and attempt = $2 and shard = $3 returning fence`,
    [id, attempt, number, worker],
  )
  const fence = taken[0]?.fence
  if (fence === undefined) throw new Error(`shard ${number} of run ${id} is gone`)
  const tries = shard.tries + 1
  return {
    kind: 'started',
    run,
    split,
    shard: { ...shard, tries },
    fence,
    left_ms: run.settings.timeout_ms - shard.age_ms,
  }
}

/** Names a shard as in hand. @returns false where it is no longer this try's, or the attempt is over */
export async function nameShard(connection: Connection, shard: Shard, fence: number): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update nightshift.shards h set seen_at = clock_timestamp()
       from nightshift.runs r
      where h.run = $1 and h.attempt = $2 and h.shard = $3 and h.fence = $4 and h.state = 'running'
        and r.id = h.run and r.attempt = h.attempt and r.state = 'running'`,
    [shard.run, shard.attempt, shard.shard, fence],
  )
  return rowCount === 1
}

/** Records the part of a try. @returns what is done of the whole attempt; undefined where the try was taken over */
export async function finishShard(
  connection: Connection,
  { run, attempt, shard }: Shard,
  { fence, part, usage }: { fence: number; part: Part | FeaturePart; usage: Usage | undefined },
): Promise<{ shards: number; rows: number } | undefined> {
  const { rowCount } = await connection.query(
    `update nightshift.shards set state = 'done', part = $5, usage = $6, rows = coalesce(rows, ($5::jsonb->'file'->>'rows')::bigint), ended_at = clock_timestamp()
      where run = $1 and attempt = $2 and shard = $3 and fence = $4 and state = 'running'`,
    [run, attempt, shard, fence, JSON.stringify(part), usage === undefined ? null : JSON.stringify(usage)],
  )
  if (rowCount !== 1) return undefined
  const { rows } = await connection.query<{ shards: number; rows: number }>(
    `select count(*)::int as shards, coalesce(sum(rows), 0)::float8 as rows from nightshift.shards where run = $1 and attempt = $2 and state = 'done'`,
    [run, attempt],
  )
  return rows[0]
}

/** Gives a shard back for another try. `counts`: the try was one; else its worker only closed. */
export async function returnShard(
  connection: Connection,
  { run, attempt, shard }: Shard,
  { fence, failure, counts }: { fence: number; failure: FailureRecord | null; counts: boolean },
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update nightshift.shards
        set state = 'waiting', worker = null, failure = $5, tries = tries - case when $6 then 0 else 1 end
      where run = $1 and attempt = $2 and shard = $3 and fence = $4 and state = 'running'`,
    [run, attempt, shard, fence, failure === null ? null : JSON.stringify(failure), counts],
  )
  return rowCount === 1
}

/** Begins the join of an attempt whose shards are all done. The caller holds the slot's lock. @returns false where one is not */
export async function beginJoin(client: ClientBase, run: string, attempt: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `update nightshift.splits s set joining_at = clock_timestamp()
      where run = $1 and attempt = $2 and joining_at is null
        and not exists (select from nightshift.shards h where h.run = s.run and h.attempt = s.attempt and h.state <> 'done')`,
    [run, attempt],
  )
  return rowCount === 1
}

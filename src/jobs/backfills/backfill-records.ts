import type { Connection } from '../../ledger/nights/slots.ts'

/** A backfill and its progress. Times are ISO 8601 in UTC. */
export interface Backfill {
  id: number
  model: string
  state: 'running' | 'paused' | 'done' | 'cancelled'
  /** Labels of its first and last as-of. */
  from: string
  to: string
  nights: number
  published: number
  failed: number
  held: number
  /** Left as they were: what was to be done with them when the backfill was planned was no longer to be done. */
  skipped: number
  /** Asked for and not ended. */
  active: number
  /** Not requested yet. */
  left: number
  max_active: number
  by: string | null
  started_at: string
  ended_at: string | null
  /** Who paused, continued or cancelled it last; null: nobody did, or it is not known who. */
  changed_by: string | null
  changed_at: string | null
}

/** A night that failed and was later published manually counts with its current state. */
const COUNTS = `
select b.id, b.model, b.state, b.max_active, b.by, b.created_at as started_at, b.ended_at, b.changed_by, b.changed_at,
       count(*)::int as nights,
       coalesce((array_agg(n.partition order by n.as_of))[1], '') as "from",
       coalesce((array_agg(n.partition order by n.as_of desc))[1], '') as "to",
       (count(*) filter (where n.outcome is not null and s.state = 'published'))::int as published,
       (count(*) filter (where n.outcome = 'held' and s.state is distinct from 'published'))::int as held,
       (count(*) filter (where n.outcome in ('failed', 'published') and s.state is distinct from 'published'))::int as failed,
       (count(*) filter (where n.outcome = 'skipped' and s.state is distinct from 'published'))::int as skipped,
       (count(*) filter (where n.slot is not null and n.outcome is null))::int as active,
       (count(*) filter (where n.slot is null and n.outcome is null))::int as "left"
  from nightshift.backfills b
  join nightshift.backfill_nights n on n.backfill = b.id
  left join nightshift.slots s on s.id = n.slot`

export async function findBackfill(connection: Connection, id: number): Promise<Backfill | undefined> {
  const { rows } = await connection.query<Backfill>(`${COUNTS} where b.id = $1 group by b.id`, [id])
  return rows[0]
}

/** Newest first; only those of one model if it is given. */
export async function listBackfills(connection: Connection, model?: string): Promise<Backfill[]> {
  const { rows } = await connection.query<Backfill>(
    `${COUNTS} where $1::text is null or b.model = $1 group by b.id order by b.id desc`,
    [model ?? null],
  )
  return rows
}

/** A night of a backfill that ended without being published. */
export interface BrokenNight {
  partition: string
  state: 'failed' | 'held'
  run: string | null
  /** Why it was not run; null where it was. */
  reason: string | null
}

/** The nights that failed or are held, oldest first, with what they are now. */
export async function brokenNights(connection: Connection, id: number): Promise<BrokenNight[]> {
  const { rows } = await connection.query<BrokenNight>(
    `select n.partition, case when n.outcome = 'held' then 'held' else 'failed' end as state, s.run, n.reason
       from nightshift.backfill_nights n left join nightshift.slots s on s.id = n.slot
      where n.backfill = $1 and n.outcome in ('failed', 'held', 'published') and s.state is distinct from 'published'
      order by n.as_of`,
    [id],
  )
  return rows
}

/** The nights that were left as they were, oldest first, with the reason. */
export async function leftNights(
  connection: Connection,
  id: number,
): Promise<{ partition: string; reason: string }[]> {
  const { rows } = await connection.query<{ partition: string; reason: string }>(
    `select partition, reason from nightshift.backfill_nights
      where backfill = $1 and outcome in ('published', 'skipped') and reason is not null order by as_of`,
    [id],
  )
  return rows
}

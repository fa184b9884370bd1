import type { RunState } from '../../ledger/nights/run-records.ts'
import type { Connection } from '../../ledger/nights/slots.ts'
import type { FailureRecord } from '../../pipeline/engine/failure.ts'

/**
 * What a night is for its backfill, by the rules of `Backfill`: a night that was published by hand later counts as published.
 * `left`: not requested yet. `skipped`: left as it was.
 */
export type NightState = 'left' | 'active' | 'published' | 'failed' | 'held' | 'skipped'

export interface BackfillNight {
  partition: string
  state: NightState
  /** Of its scores now; null: nothing has run. */
  run: string | null
  run_state: RunState | null
  /** Whether that run was this backfill's. */
  is_own: boolean
  /** Why it was not run; null where it was. */
  reason: string | null
  failure: Pick<FailureRecord, 'class' | 'message'> | null
}

const NIGHTS = `
select n.partition, r.id as run, r.state as run_state, coalesce(r.backfill = n.backfill, false) as is_own, n.reason,
       case when r.failure is null then null
            else jsonb_build_object('class', r.failure->'class', 'message', r.failure->'message') end as failure,
       case when n.outcome is null then case when n.slot is null then 'left' else 'active' end
            when s.state = 'published' then 'published'
            when n.outcome = 'published' then 'failed'
            else n.outcome end as state
  from nightshift.backfill_nights n
  left join nightshift.slots s on s.id = n.slot
  left join nightshift.runs r on r.id = s.run
 where n.backfill = $1`

/** The nights of a backfill, oldest first. */
export async function nightsOfBackfill(
  connection: Connection,
  id: number,
  { limit, offset }: { limit: number; offset: number },
): Promise<BackfillNight[]> {
  const { rows } = await connection.query<BackfillNight>(`${NIGHTS} order by n.as_of limit $2 offset $3`, [
    id,
    limit,
    offset,
  ])
  return rows
}

/** The nights that failed or are held, oldest first, with the cause. */
export async function stuckNights(
  connection: Connection,
  id: number,
  limit: number,
): Promise<BackfillNight[]> {
  const { rows } = await connection.query<BackfillNight>(
    `${NIGHTS} and n.outcome in ('failed', 'held', 'published') and s.state is distinct from 'published'
      order by n.as_of limit $2`,
    [id, limit],
  )
  return rows
}

/** How fast a backfill's newest nights went: their number, and the time from the start of the first to the end of the last. */
export interface Pace {
  nights: number
  seconds: number
}

const PACED = 20

/** Undefined before a night has ended. Pauses further back than its last nights do not count. */
export async function paceOf(connection: Connection, id: number): Promise<Pace | undefined> {
  const { rows } = await connection.query<{ nights: number; seconds: number | null }>(
    `select count(*)::int as nights, extract(epoch from max(ended_at) - min(started_at))::float8 as seconds
       from (select started_at, ended_at from nightshift.runs
              where backfill = $1 and kind = 'scores' and started_at is not null and ended_at is not null
              order by ended_at desc limit ${PACED}) r`,
    [id],
  )
  const [row] = rows
  if (row === undefined || row.seconds === null || row.seconds <= 0) return undefined
  return { nights: row.nights, seconds: row.seconds }
}

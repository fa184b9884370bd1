import type { Connection, SlotState } from './slots.ts'

/** One night of a model: its slot, and the published run, or else the latest run. Times are ISO 8601 in UTC. */
export interface ModelNight {
  partition: string
  as_of: string
  state: SlotState
  late: boolean
  reason: string | null
  due: string | null
  deadline: string | null
  published_at: string | null
  run: string | null
  published: boolean
  version: number | null
  rows: number | null
  /** From the run's start to its end; null if it has not ended. */
  seconds: number | null
  backfilled: boolean
}

const NIGHTS = `
select s.partition, s.as_of, s.state, s.late, s.reason, s.due, s.deadline, s.published_at,
       r.id as run, s.published_run is not null as published, r.version, r.rows,
       extract(epoch from r.ended_at - r.started_at)::float8 as seconds, r.backfill is not null as backfilled
  from nightshift.slots s
  left join nightshift.runs r on r.id = coalesce(s.published_run, s.run)
 where s.kind = 'scores' and s.name = $1 and s.as_of <= coalesce($3, now()) and ($2::timestamptz is null or s.as_of >= $2)
 order by s.as_of desc limit $4`

/**
 * The newest started nights of a model, at most `limit`, oldest first. `from` and `to` are instants, both inclusive.
 */
export async function modelNights(
  connection: Connection,
  model: string,
  { from, to, limit }: { from?: string | undefined; to?: string | undefined; limit: number },
): Promise<ModelNight[]> {
  const { rows } = await connection.query<ModelNight>(NIGHTS, [model, from ?? null, to ?? null, limit])
  return rows.reverse()
}

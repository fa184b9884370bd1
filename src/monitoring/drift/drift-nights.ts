import type { ClientBase, Pool } from 'pg'
import type { NightDrift } from './record.ts'

/** How one column of one night compared with its threshold. */
export type DriftNight = Pick<
  NightDrift,
  'partition' | 'column' | 'score' | 'statistic' | 'threshold' | 'drifted' | 'alerting' | 'fired' | 'note'
> & {
  /** The statistic that decides. */
  value: number | null
}

const NIGHTS = `
select d.partition, d.column_name as column, d.is_score as score, d.drifted, d.alerting,
       d.figures->>'statistic' as statistic, (d.figures->>'threshold')::float8 as threshold,
       (d.figures->>(d.figures->>'statistic'))::float8 as value, d.figures->'fired' as fired, d.figures->>'note' as note
  from nightshift.drift d
  join nightshift.slots s on s.kind = 'scores' and s.name = d.model and s.partition = d.partition and s.published_run = d.run
 where d.model = $1 and d.as_of >= $2 and d.as_of <= $3
 order by d.as_of, d.position`

/** Drift of a model's published nights, oldest first, in the order of the columns for each night. */
export async function driftNights(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: { from: string; to: string },
): Promise<DriftNight[]> {
  const { rows } = await connection.query<DriftNight>(NIGHTS, [model, from, to])
  return rows
}

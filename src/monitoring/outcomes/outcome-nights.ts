import type { ClientBase, Pool } from 'pg'
import type { OutcomeFacts } from '../../pipeline/outcomes/outcome-facts.ts'
import type { MeasuredReport } from '../evidence.ts'
import { CHECKED, type Outcome } from './record.ts'

/** The outcome of one night, without calibration and segments. Times are ISO 8601 in UTC. */
export type OutcomeNight = Pick<
  Outcome,
  'model' | 'partition' | 'as_of' | 'version' | 'state' | 'matures_at' | 'horizon' | 'note' | 'looked'
> & {
  /** Null if nothing was measured. */
  figures: (MeasuredReport & Pick<OutcomeFacts, 'business'>) | null
}

const NIGHTS = `
select model, partition, as_of, version, state, matures_at, horizon, note, ${CHECKED} as looked,
       case when report is null then null else report - '{calibration,by_segment,inputs,notes}'::text[] end as figures
  from nightshift.outcomes
 where model = $1 and as_of >= $2 and as_of <= $3
 order by as_of`

/** Outcomes of a model's nights, oldest first; `from` and `to` are instants, both inclusive. */
export async function outcomeNights(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: { from: string; to: string },
): Promise<OutcomeNight[]> {
  const { rows } = await connection.query<OutcomeNight>(NIGHTS, [model, from, to])
  return rows
}

/** A measured night, and the run whose scores were measured. */
export interface MeasuredNight {
  partition: string
  run: string
  version: number
  report: MeasuredReport
}

/** The newest measured nights of a model, oldest first. */
export async function newestMeasured(
  connection: ClientBase | Pool,
  model: string,
  most: number,
): Promise<MeasuredNight[]> {
  const { rows } = await connection.query<MeasuredNight>(
    `select partition, run, version, report - '{calibration,by_segment,inputs,notes,business}'::text[] as report
       from nightshift.outcomes
      where model = $1 and state = 'measured' and run is not null and version is not null and report is not null
      order by as_of desc limit $2`,
    [model, most],
  )
  return rows.reverse()
}

/** The newest measured outcome of a model at or before an instant, complete. */
export async function newestOutcome(
  connection: ClientBase | Pool,
  model: string,
  to: string,
): Promise<{ partition: string; report: OutcomeFacts } | undefined> {
  const { rows } = await connection.query<{ partition: string; report: OutcomeFacts }>(
    `select partition, report from nightshift.outcomes
      where model = $1 and as_of <= $2 and state = 'measured' order by as_of desc limit 1`,
    [model, to],
  )
  return rows[0]
}

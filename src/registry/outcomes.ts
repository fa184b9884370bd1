import type { ClientBase, Pool } from 'pg'
import type { OutcomeFacts } from '../pipeline/outcomes/outcomes.ts'

/** What came of one night of a model. Times are ISO 8601 in UTC. */
export interface Outcome {
  model: string
  as_of: string
  partition: string
  /** The run whose scores stood at the deadline; null where none did. */
  run: string | null
  version: number | null
  /** `immature`: its label window is not over; `failed`: `note` says why it could not be measured. */
  state: 'immature' | 'measured' | 'failed'
  /** When its label window is over, at the earliest. */
  matures_at: string
  measured_at: string | null
  note: string | null
  report: OutcomeFacts | null
}

type OutcomeRow = Omit<Outcome, 'as_of' | 'matures_at' | 'measured_at'> & {
  as_of: Date
  matures_at: Date
  measured_at: Date | null
}

/** Outcomes of a model's nights, oldest first; `from` and `to` are instants, both inclusive. */
export async function outcomesOf(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: { from?: string; to?: string } = {},
): Promise<Outcome[]> {
  const { rows } = await connection.query<OutcomeRow>(
    `select model, as_of, partition, run, version, state, matures_at, measured_at, note, report
       from nightshift.outcomes
      where model = $1 and ($2::timestamptz is null or as_of >= $2) and ($3::timestamptz is null or as_of <= $3)
      order by as_of`,
    [model, from ?? null, to ?? null],
  )
  return rows.map((row) => ({
    ...row,
    as_of: row.as_of.toISOString(),
    matures_at: row.matures_at.toISOString(),
    measured_at: row.measured_at?.toISOString() ?? null,
  }))
}

/** Records an outcome; a later one of the same night takes its place. */
export async function recordOutcome(connection: ClientBase | Pool, outcome: Outcome): Promise<void> {
  const { model, as_of, partition, run, version, state, matures_at, measured_at, note, report } = outcome
  await connection.query(
    `insert into nightshift.outcomes
       (model, as_of, partition, run, version, state, matures_at, measured_at, note, report)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (model, as_of) do update set
       partition = $3, run = $4, version = $5, state = $6, matures_at = $7, measured_at = $8, note = $9, report = $10`,
    [
      model,
      as_of,
      partition,
      run,
      version,
      state,
      matures_at,
      measured_at,
      note,
      report === null ? null : JSON.stringify(report),
    ],
  )
}

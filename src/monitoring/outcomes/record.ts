import type { ClientBase, Pool } from 'pg'
import type { OutcomeFacts } from '../../pipeline/outcomes/outcome-facts.ts'

/** The outcome of one night of a model. Times are ISO 8601 in UTC. */
export interface Outcome {
  model: string
  as_of: string
  partition: string
  /** The run whose scores were published at the deadline; null if there were none. */
  run: string | null
  version: number | null
  /** `immature`: its label window is still open; `failed`: `note` states why it could not be measured. */
  state: 'immature' | 'measured' | 'failed'
  /** When its label window ends, at the earliest. */
  matures_at: string
  /** The `labels.horizon` and `labels.lag` used; null if the ledger does not know them. */
  horizon: string | null
  lag: string | null
  measured_at: string | null
  note: string | null
  /** Derived when read: the night has been checked since its label window ended. */
  looked?: boolean
  report: OutcomeFacts | null
}

/** There are no checks before the window ends; a check without result schedules the next one, which is later. */
export const CHECKED = '(looks > 0 and look_at > matures_at)'

/** Outcomes of a model's nights, oldest first; `from` and `to` are instants, both inclusive. */
export async function outcomesOf(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: { from?: string; to?: string } = {},
): Promise<Outcome[]> {
  const { rows } = await connection.query<Outcome>(
    `${COLUMNS}
      where model = $1 and ($2::timestamptz is null or as_of >= $2) and ($3::timestamptz is null or as_of <= $3)
      order by as_of`,
    [model, from ?? null, to ?? null],
  )
  return rows
}

export async function findOutcome(
  connection: ClientBase | Pool,
  model: string,
  partition: string,
): Promise<Outcome | undefined> {
  const { rows } = await connection.query<Outcome>(`${COLUMNS} where model = $1 and partition = $2`, [
    model,
    partition,
  ])
  return rows[0]
}

/** Outcomes of these nights of scores; those that have none are left out. */
export async function outcomesOfNights(
  connection: ClientBase | Pool,
  nights: { name: string; partition: string }[],
): Promise<Outcome[]> {
  const { rows } = await connection.query<Outcome>(
    `${COLUMNS} where (model, partition) in (select * from unnest($1::text[], $2::text[]))`,
    [nights.map(({ name }) => name), nights.map(({ partition }) => partition)],
  )
  return rows
}

const COLUMNS = `select model, as_of, partition, run, version, state, matures_at, horizon, lag, measured_at, note, report,
       ${CHECKED} as looked from nightshift.outcomes`

/** When a night is checked next (ISO 8601; null: never), and how many checks in a row had no result. */
export interface NextCheck {
  at: string | null
  count: number
}

/** Records an outcome; replaces an earlier one of the same night. */
export async function recordOutcome(
  connection: ClientBase | Pool,
  outcome: Outcome,
  next: NextCheck = { at: null, count: 0 },
): Promise<void> {
  const { model, as_of, partition, run, version, state, matures_at, measured_at, note, report } = outcome
  const { horizon, lag } = outcome
  await connection.query(
    `insert into nightshift.outcomes
       (model, as_of, partition, run, version, state, matures_at, measured_at, note, report, look_at, looks, horizon, lag)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     on conflict (model, partition) do update set
       as_of = $2, run = $4, version = $5, state = $6, matures_at = $7, measured_at = $8, note = $9, report = $10,
       look_at = $11, looks = $12, horizon = $13, lag = $14`,
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
      next.at,
      next.count,
      horizon,
      lag,
    ],
  )
}

/** Records a night that is not recorded yet; an existing record is unchanged. */
export async function expectOutcome(
  connection: ClientBase | Pool,
  { model, as_of, partition, run, version, state, matures_at, horizon, lag, note }: Outcome,
  next: NextCheck,
): Promise<void> {
  await connection.query(
    `insert into nightshift.outcomes
       (model, as_of, partition, run, version, state, matures_at, horizon, lag, note, look_at, looks)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (model, partition) do nothing`,
    [model, as_of, partition, run, version, state, matures_at, horizon, lag, note, next.at, next.count],
  )
}

/** Immature nights of these models that are recorded under another horizon or lag, each with its deadline. */
export async function immatureElsewhere(
  connection: ClientBase | Pool,
  models: { name: string; horizon: string; lag: string }[],
): Promise<{ model: string; partition: string; deadline: string | null }[]> {
  const { rows } = await connection.query<{ model: string; partition: string; deadline: string | null }>(
    `select o.model, o.partition, s.deadline
       from unnest($1::text[], $2::text[], $3::text[]) as m (name, horizon, lag)
       join nightshift.outcomes o on o.model = m.name and o.state = 'immature'
        and (o.horizon, o.lag) is distinct from (m.horizon, m.lag)
       left join nightshift.slots s on s.kind = 'scores' and s.name = o.model and s.partition = o.partition`,
    [models.map(({ name }) => name), models.map(({ horizon }) => horizon), models.map(({ lag }) => lag)],
  )
  return rows
}

/** Updates when an immature night matures. If that time does not change, the next check does not change either. */
export async function moveOutcome(
  connection: ClientBase | Pool,
  outcome: Omit<Outcome, 'run' | 'version' | 'state' | 'measured_at' | 'report'>,
  next: NextCheck,
): Promise<void> {
  const { model, as_of, partition, matures_at, horizon, lag, note } = outcome
  await connection.query(
    `update nightshift.outcomes
        set as_of = $9, matures_at = $3, horizon = $4, lag = $5,
            note = case when matures_at = $3 then note else $6 end,
            look_at = case when matures_at = $3 then look_at else $7 end,
            looks = case when matures_at = $3 then looks else $8 end
      where model = $1 and partition = $2 and state = 'immature'`,
    [model, partition, matures_at, horizon, lag, note, next.at, next.count, as_of],
  )
}

/** Nights of these models whose check is due, longest overdue first. */
export async function dueOutcomes(
  connection: ClientBase | Pool,
  models: string[],
): Promise<Pick<Outcome, 'model' | 'partition'>[]> {
  const { rows } = await connection.query<Pick<Outcome, 'model' | 'partition'>>(
    `select model, partition from nightshift.outcomes where model = any($1) and look_at <= now()
      order by look_at limit 20`,
    [models],
  )
  return rows
}

/** Schedules the next check without changing the outcome; `note` states the reason for an immature night. */
export async function checkAgain(
  connection: ClientBase | Pool,
  { model, partition }: Pick<Outcome, 'model' | 'partition'>,
  next: NextCheck,
  note: string | null = null,
): Promise<void> {
  await connection.query(
    `update nightshift.outcomes
        set look_at = $3, looks = $4, note = case when state = 'immature' then coalesce($5, note) else note end
      where model = $1 and partition = $2`,
    [model, partition, next.at, next.count, note],
  )
}

/** The number of checks of a night in a row without result. */
export async function checksOf(
  connection: ClientBase | Pool,
  { model, partition }: Pick<Outcome, 'model' | 'partition'>,
): Promise<number> {
  const { rows } = await connection.query<{ looks: number }>(
    'select looks from nightshift.outcomes where model = $1 and partition = $2',
    [model, partition],
  )
  return rows[0]?.looks ?? 0
}

/** Looks no more for late labels of measured nights: in a simulation all labels are there from the start. */
export async function expectNoLateLabels(connection: ClientBase | Pool): Promise<void> {
  await connection.query(
    `update nightshift.outcomes set look_at = null where state = 'measured' and look_at is not null`,
  )
}

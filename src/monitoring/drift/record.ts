import type { ClientBase, Pool } from 'pg'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import { NO_FIGURES } from '../../pipeline/drift/measures.ts'
import type { Verdict } from '../../pipeline/drift/persistence.ts'
import type { Profile } from '../../pipeline/profile/profile.ts'

/** The profile of one published night of a model. Times are ISO 8601 in UTC. */
export interface NightProfile {
  run: string
  model: string
  version: number
  as_of: string
  partition: string
  /** Part of a backfill: displayed separately, raises no alert. */
  backfilled: boolean
  rows: number
  profile: Profile
  /** Description of the reference; null if there was none, in which case `note` states the reason. */
  reference: string | null
  note: string | null
  /**
   * Expected quality of the scores, derived from the scores alone before labels are known; null if they are not
   * probabilities.
   */
  estimate: { auc: number | null; rate: number | null } | null
  seconds: number
  at: string
}

/** Drift of one column of one night. */
export interface NightDrift extends Drift {
  run: string
  model: string
  as_of: string
  partition: string
  /** It drifted on as many of the last nights as `drift.persist` requires. */
  alerting: boolean
  /** The DuckDB type on that night, or in the version's view if the night has no such column; null if unknown. */
  type: string | null
}

interface Span {
  /** Instants, both inclusive. */
  from?: string
  to?: string
}

type DriftRow = Pick<NightDrift, 'run' | 'model' | 'partition' | 'drifted' | 'alerting' | 'type'> & {
  as_of: string
  column_name: string
  is_score: boolean
  figures: Omit<Drift, 'column' | 'score' | 'drifted'>
}

/** Profiles of a model's published nights, oldest first; for a night that was published again, the newest. */
export async function profilesOf(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: Span = {},
): Promise<NightProfile[]> {
  const { rows } = await connection.query<NightProfile>(
    `select p.* from nightshift.profiles p
       join nightshift.slots s on s.kind = 'scores' and s.name = p.model and s.partition = p.partition and s.published_run = p.run
      where p.model = $1 and ($2::timestamptz is null or p.as_of >= $2) and ($3::timestamptz is null or p.as_of <= $3)
      order by p.as_of`,
    [model, from ?? null, to ?? null],
  )
  return rows
}

/** The profile of one run, undefined if it has none (yet). */
export async function profileOfRun(
  connection: ClientBase | Pool,
  run: string,
): Promise<NightProfile | undefined> {
  const { rows } = await connection.query<NightProfile>('select * from nightshift.profiles where run = $1', [
    run,
  ])
  return rows[0]
}

const DRIFT_OF_RUN = `
with night as (
  select c->>'column' as name, (c->>'score')::boolean as score, c->>'type' as type
    from nightshift.profiles p, jsonb_array_elements(p.profile->'columns') c where p.run = $1),
registered as (
  select c->>'name' as name, c->>'type' as type
    from nightshift.profiles p join nightshift.versions v on v.model = p.model and v.version = p.version,
         jsonb_array_elements(v.columns) c where p.run = $1)
select d.*, coalesce(n.type, r.type) as type
  from nightshift.drift d
  left join night n on n.name = d.column_name and n.score = d.is_score
  left join registered r on r.name = d.column_name and not d.is_score
 where d.run = $1 order by d.position`

/** Drift of one run, in the order of the columns. */
export async function driftOfRun(connection: ClientBase | Pool, run: string): Promise<NightDrift[]> {
  const { rows } = await connection.query<DriftRow>(DRIFT_OF_RUN, [run])
  return rows.map(toDrift)
}

/** A night that was compared, and the verdict for each column. */
export interface JudgedNight {
  run: string
  as_of: string
  partition: string
  columns: (Pick<Drift, 'column' | 'score'> & { verdict: Verdict })[]
}

/** Nights that count for alerts, oldest first, starting 60 days before an instant. Nights of backfills do not count. */
export async function judgedNights(
  connection: ClientBase | Pool,
  model: string,
  asOf: string,
): Promise<JudgedNight[]> {
  const { rows } = await connection.query<JudgedNight>(
    `select p.run, p.as_of, p.partition,
            jsonb_agg(jsonb_build_object('column', d.column_name, 'score', d.is_score, 'verdict',
              case when d.drifted then 'drifted' when d.figures -> 'threshold' = 'null' then 'unknown' else 'quiet' end)
              order by d.position) as columns
       from nightshift.profiles p
       join nightshift.slots s on s.kind = 'scores' and s.name = p.model and s.partition = p.partition and s.published_run = p.run
       join nightshift.drift d on d.run = p.run
      where p.model = $1 and not p.backfilled and p.as_of >= $2::timestamptz - interval '60 days'
      group by p.run, p.as_of, p.partition order by p.as_of`,
    [model, asOf],
  )
  return rows
}

/** The columns that drifted, by run. */
export async function driftedColumns(
  connection: ClientBase | Pool,
  runs: string[],
): Promise<Map<string, Pick<Drift, 'column' | 'score'>[]>> {
  const { rows } = await connection.query<{ run: string; column: string; score: boolean }>(
    'select run, column_name as "column", is_score as score from nightshift.drift where run = any($1) and drifted order by run, position',
    [runs],
  )
  const found = new Map<string, Pick<Drift, 'column' | 'score'>[]>()
  for (const { run, column, score } of rows) found.set(run, [...(found.get(run) ?? []), { column, score }])
  return found
}

/** Sets which of a night's columns alert; clears the others. */
export async function markAlerting(
  client: ClientBase,
  run: string,
  columns: Pick<Drift, 'column' | 'score'>[],
): Promise<void> {
  await client.query(
    `update nightshift.drift d set alerting = not d.alerting
      where d.run = $1
        and d.alerting is distinct from exists (
          select from unnest($2::text[], $3::boolean[]) as a (name, score) where a.name = d.column_name and a.score = d.is_score)`,
    [run, columns.map(({ column }) => column), columns.map(({ score }) => score)],
  )
}

/** Records a night's profile and drift; replaces an earlier record of the same run. */
export async function recordProfile(
  client: ClientBase,
  night: Omit<NightProfile, 'at'>,
  drift: (Drift & { alerting: boolean })[],
): Promise<void> {
  await client.query('delete from nightshift.profiles where run = $1', [night.run])
  await client.query(
    `insert into nightshift.profiles
       (run, model, version, as_of, partition, backfilled, rows, profile, reference, note, estimate, seconds)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      night.run,
      night.model,
      night.version,
      night.as_of,
      night.partition,
      night.backfilled,
      night.rows,
      JSON.stringify(night.profile),
      night.reference,
      night.note,
      night.estimate === null ? null : JSON.stringify(night.estimate),
      night.seconds,
    ],
  )
  for (const [position, { column, score, drifted, alerting, ...figures }] of drift.entries()) {
    await client.query(
      `insert into nightshift.drift
         (run, model, as_of, partition, position, column_name, is_score, figures, drifted, alerting)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        night.run,
        night.model,
        night.as_of,
        night.partition,
        position,
        column,
        score,
        JSON.stringify(figures),
        drifted,
        alerting,
      ],
    )
  }
}

function toDrift(row: DriftRow): NightDrift {
  const {
    column_name: column,
    is_score: score,
    figures,
    run,
    model,
    partition,
    drifted,
    alerting,
    type,
  } = row
  return {
    // Nights that were recorded before a measure was there have none of it.
    ...NO_FIGURES,
    ...figures,
    column,
    score,
    run,
    model,
    as_of: row.as_of,
    partition,
    drifted,
    alerting,
    type,
  }
}

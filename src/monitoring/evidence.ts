import type { ClientBase, Pool } from 'pg'
import { howFar } from '../alerts/letters/drift-letter.ts'
import type { Drift } from '../pipeline/drift/drift-figures.ts'
import { excess } from '../pipeline/drift/excess.ts'
import type { OutcomeFacts } from '../pipeline/outcomes/outcome-facts.ts'
import { CHECKED } from './outcomes/record.ts'

type Connection = ClientBase | Pool

/** The comparison of a night with its reference: number of columns, and how many could be compared. */
export interface ComparedProfile {
  /** Null: there was no reference, and `note` states the reason. */
  reference: string | null
  note: string | null
  rows: number
  columns: number
  compared: number
  /** The most common reason among the other columns, such as `not enough rows: there are 3, at least 50 are needed`. */
  why: string | null
}

/** What monitoring has recorded about a published night of a model. */
export interface NightEvidence {
  run: string
  /** Null: not profiled (yet). */
  profile: ComparedProfile | null
  /** Columns that moved, including the score, farthest past its threshold first, as in mails and incidents. */
  moved: {
    column: string
    score: boolean
    alerting: boolean
    /** `PSI 0.31, threshold 0.1`, and which nulls or unseen values are more. */
    how: string
  }[]
}

/** By run of the scores. */
export async function evidenceOfRuns(
  connection: Connection,
  runs: string[],
): Promise<Map<string, NightEvidence>> {
  const { rows } = await connection.query<{ run: string; moved: Moved[] | null } & ComparedProfile>(
    `select p.run, p.reference, p.note, p.rows::float8 as rows, d.columns, d.compared, d.why, d.moved
       from nightshift.profiles p
      cross join lateral (
        select count(*)::int as columns, count(figures->>'threshold')::int as compared,
               mode() within group (order by figures->>'note') filter (where figures->>'threshold' is null) as why,
               jsonb_agg(jsonb_build_object('column', column_name, 'score', is_score, 'alerting', alerting,
                                            'figures', figures) order by position) filter (where drifted) as moved
          from nightshift.drift where run = p.run) d
      where p.run = any($1)`,
    [runs],
  )
  const found = new Map(rows.map(({ moved, ...profile }) => [profile.run, { profile, moved: moved ?? [] }]))
  return new Map(
    runs.map((run) => {
      const { profile, moved } = found.get(run) ?? { profile: null, moved: [] }
      const farthestFirst = moved
        .sort((a, b) => excess(b.figures) - excess(a.figures))
        .map(({ figures, ...column }) => ({
          ...column,
          how: howFar(figures),
        }))
      return [run, { run, profile, moved: farthestFirst }]
    }),
  )
}

/** A column that moved, as it is read. */
interface Moved {
  column: string
  score: boolean
  alerting: boolean
  figures: Omit<Drift, 'column' | 'score' | 'drifted'>
}

/** Runs of nights between two as-ofs whose drift raised an alert. */
export async function alertingRuns(
  connection: Connection,
  models: string[],
  from: string,
  to: string,
): Promise<Set<string>> {
  const { rows } = await connection.query<{ run: string }>(
    `select distinct run from nightshift.drift
      where model = any($1) and as_of >= $2 and as_of <= $3 and alerting`,
    [models, from, to],
  )
  return new Set(rows.map(({ run }) => run))
}

/** The newest recomputation of each run of features: number of differing values, null if it could not be checked. */
export async function parityOfRuns(
  connection: Connection,
  runs: string[],
): Promise<Map<string, { differing: number | null; values: number | null; late: number | null }>> {
  const { rows } = await connection.query<{
    run: string
    differing: string | null
    values: number | null
    late: number | null
  }>(
    `select distinct on (run) run, differing, (report->>'values')::float8 as values, (report->>'late')::float8 as late
       from nightshift.certificates where run = any($1) and against = 'recomputed' order by run, id desc`,
    [runs],
  )
  return new Map(
    rows.map(({ run, differing, ...row }) => [
      run,
      { ...row, differing: differing === null ? null : Number(differing) },
    ]),
  )
}

/** The newest night of a model with a measured outcome, and the next one to be measured. */
export interface LatestOutcome {
  model: string
  measured: { partition: string; report: MeasuredReport } | null
  /** `note`: what prevented it at the last check, if it was `looked` at since it matured. `matures_at` is ISO 8601. */
  next: { partition: string; matures_at: string; note: string | null; looked: boolean } | null
}

export type MeasuredReport = Pick<
  OutcomeFacts,
  | 'kind'
  | 'rows'
  | 'positives'
  | 'scored'
  | 'unlabelled'
  | 'metrics'
  | 'intervals'
  | 'treated'
  | 'realized'
  | 'predicted'
>

export async function latestOutcomes(
  connection: Connection,
  models: string[],
): Promise<Map<string, LatestOutcome>> {
  const { rows } = await connection.query<{
    model: string
    partition: string | null
    report: MeasuredReport | null
    next_partition: string | null
    next_matures_at: string | null
    next_note: string | null
    next_looked: boolean | null
  }>(
    `select m.model, o.partition, o.report,
            n.partition as next_partition, n.matures_at as next_matures_at, n.note as next_note, n.looked as next_looked
       from unnest($1::text[]) as m(model)
       left join lateral (select partition,
                                 jsonb_build_object('kind', report->'kind', 'rows', report->'rows',
                                                    'positives', report->'positives', 'scored', report->'scored',
                                                    'unlabelled', report->'unlabelled',
                                                    'metrics', report->'metrics', 'intervals', report->'intervals',
                                                    'treated', report->'treated', 'realized', report->'realized',
                                                    'predicted', report->'predicted') as report
                           from nightshift.outcomes
                           where model = m.model and state = 'measured' order by as_of desc limit 1) o on true
       left join lateral (select partition, matures_at, note, ${CHECKED} as looked from nightshift.outcomes
                           where model = m.model and state = 'immature' order by matures_at, as_of limit 1) n on true`,
    [models],
  )
  return new Map(
    rows.map(({ model, partition, report, ...row }) => [
      model,
      {
        model,
        measured: partition === null || report === null ? null : { partition, report },
        next:
          row.next_partition === null || row.next_matures_at === null
            ? null
            : {
                partition: row.next_partition,
                matures_at: row.next_matures_at,
                note: row.next_note,
                looked: row.next_looked === true,
              },
      },
    ]),
  )
}

/** The champion of each model that has one. */
export async function champions(
  connection: Connection,
): Promise<Map<string, { version: number; since: string }>> {
  const { rows } = await connection.query<{ model: string; version: number; since: string }>(
    'select model, version, since from nightshift.champions',
  )
  return new Map(rows.map(({ model, version, since }) => [model, { version, since }]))
}

import type { IncidentKind } from '../../src/failures/incident-kinds.ts'
import type { Database } from '../../src/ledger/connection/database.ts'
import type { Project } from '../../src/project/project.ts'
import { facts } from '../alerts/sample.ts'

/** The day of the newest night, and noon of it. */
export const TONIGHT = '2026-03-03'
export const NOON = new Date(`${TONIGHT}T12:00:00Z`)
const YESTERDAY = '2026-03-02'

const MODELS = 50
const nameOf = (number: number) => `model_${String(number).padStart(2, '0')}`
/** A name of 60 characters. */
export const LONG = 'probability_of_leaving_within_thirty_days_of_prepaid_clients'

/** What is special about some of them; of the others, tonight's list is there and on time. */
export const DRIFTED = nameOf(2)
export const FAILED = nameOf(3)
export const ROLLED_BACK = nameOf(4)
export const RUNNING = nameOf(6)
export const UNCOMPARED = nameOf(7)
export const NEVER = nameOf(8)

/** `model_01` to `model_50`, of which the fifth has a long name; views of ten models each. */
const NAMES = Array.from({ length: MODELS }, (_, index) => (index === 4 ? LONG : nameOf(index + 1)))

const viewOf = (index: number) => `view_${Math.floor(index / 10) + 1}`

/** The files of the models and their views. */
export const FILES: Record<string, string> = Object.fromEntries(
  NAMES.flatMap((name, index) => {
    const view = viewOf(index)
    return [
      [
        `features/${view}/view.yaml`,
        `view: ${view}\nentity: customer_id\nowner: data@example.com\nsources:\n  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }\n`,
      ],
      [`features/${view}/features.sql`, 'SELECT customer_id, count(*) AS n FROM events GROUP BY 1\n'],
      [
        `models/${name}/model.yaml`,
        `model: ${name}\ndescription: Probability that a customer does what number ${index + 1} is about\nowner: team${index + 1}@example.com\non_call: [oncall@example.com]\nview: ${view}\nscore: { column: score, min: 0, max: 1 }\n`,
      ],
    ]
  }),
)

/** The first models of the project, and the views that they use. */
export function firstModels(whole: Project, number: number): Project {
  const names = NAMES.slice(0, number)
  const views = new Set(names.map((_, index) => viewOf(index)))
  return {
    ...whole,
    models: Object.fromEntries(Object.entries(whole.models).filter(([name]) => names.includes(name))),
    views: Object.fromEntries(Object.entries(whole.views).filter(([name]) => views.has(name))),
  }
}

/** Closes the incidents of all but the first models. */
export async function closeOthers(database: Database, number: number): Promise<void> {
  await database.pool.query('update nightshift.incidents set closed_at = $2 where subject = any($1)', [
    NAMES.slice(number),
    NOON,
  ])
}

export async function writeLedger({ pool }: Database): Promise<void> {
  const views = [...new Set(NAMES.map((_, index) => viewOf(index)))]
  await pool.query(
    `insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output,
       mapping, registered_at, registered_by)
     select model, version, 'ab', 1, 'model.onnx', 'view_1', 'cd', 'SELECT 1', '[]', '{}', '{}', '2026-01-01', 'ann'
       from unnest($1::text[]) as model, generate_series(1, 2) as version`,
    [NAMES],
  )
  await pool.query(
    `insert into nightshift.champions (model, version, since)
     select model, case model when $2 then 1 else 2 end, '2026-01-02' from unnest($1::text[]) as model`,
    [NAMES, ROLLED_BACK],
  )
  // 28 nights of every model and view, and the next one, which is not due.
  await pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, schedule, state, due, deadline, run, published_run, published_at)
     select kind, name, night, label, 'nightly', state, night + interval '2 hours', night + interval '6 hours',
            case when state <> 'expected' then run end, case when state = 'published' then run end,
            case when state = 'published' then night + interval '2 hours 10 minutes' end
       from (select kind, name, night, to_char(night at time zone 'UTC', 'YYYY-MM-DD') as label,
                    name || '-' || to_char(night at time zone 'UTC', 'MMDD') as run,
                    case when night > $3::timestamptz or name = $4 then 'expected'
                         when night = $3 and name = $5 then 'failed'
                         when night = $3 and name = $6 then 'running' else 'published' end as state
               from (select 'scores' as kind, unnest($1::text[]) as name
                     union all select 'features', unnest($2::text[])) as subject,
                    generate_series($3::timestamptz - interval '27 days', $3::timestamptz + interval '1 day', interval '1 day') as night) n`,
    [NAMES, views, `${TONIGHT}T00:00:00Z`, NEVER, FAILED, RUNNING],
  )
  // Nothing of the model that never ran has been due so far.
  await pool.query(`delete from nightshift.slots where name = $1 and due <= $2`, [NEVER, NOON])
  // The running one has until the evening.
  await pool.query(`update nightshift.slots set deadline = $2 where name = $1 and state = 'running'`, [
    RUNNING,
    `${TONIGHT}T20:00:00Z`,
  ])
  await pool.query(
    `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, version, settings, attempt, rows, failure,
       created_at)
     select run, id, kind, name, as_of, partition, state, 'schedule', case kind when 'scores' then 2 end, '{}', 1,
            case state when 'published' then 4000 end,
            case state when 'failed' then '{"class": "resource", "message": "out of memory", "anchor": "#resource", "evidence": {}}'::jsonb end, due
       from nightshift.slots where run is not null`,
  )
  await pool.query(
    `insert into nightshift.profiles (run, model, version, as_of, partition, backfilled, rows, profile, reference, seconds)
     select id, name, 2, as_of, partition, false, 4000, '{"columns": []}', 'holdout of 3f2a9c0b1d', 0.2
       from nightshift.runs where kind = 'scores' and partition >= $1 and state = 'published'`,
    [YESTERDAY],
  )
  await pool.query(
    `insert into nightshift.drift (run, model, as_of, partition, position, column_name, is_score, figures, drifted, alerting)
     select run, model, as_of, partition, 0, 'spend', false,
            jsonb_build_object('statistic', 'psi', 'psi', 0.3, 'fired', '["distribution"]'::jsonb, 'threshold', case model when $1 then null else 0.1 end,
                               'note', 'not enough rows: there are 3, at least 50 are needed'),
            model = $2, model = $2
       from nightshift.profiles`,
    [UNCOMPARED, DRIFTED],
  )
  await openIncident(DRIFTED, 'drift', TONIGHT)
  await openIncident(FAILED, 'resource', TONIGHT)
  await openIncident(LONG, 'unchecked', TONIGHT)

  async function openIncident(subject: string, kind: IncidentKind, partition: string) {
    const told = facts({
      subject,
      partition,
      state: kind === 'resource' ? 'failed' : 'published',
      lastGood: {
        partition: YESTERDAY,
        publishedAt: `${YESTERDAY}T02:10:00Z`,
        path: 'scores.parquet',
        rows: 4000,
        version: 2,
      },
    })
    const night = {
      partition,
      run: null,
      slot: null,
      state: 'failed',
      failedAt: `${partition}T03:00:00Z`,
      late: false,
      recovered: null,
    }
    await pool.query(
      `insert into nightshift.incidents (subject_kind, subject, kind, opened_at, detail) values ('model', $1, $2, $3, $4)`,
      [subject, kind, `${partition}T03:00:00Z`, { facts: told, nights: [night] }],
    )
  }
}

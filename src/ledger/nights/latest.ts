import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { RunState } from './run-records.ts'
import type { Trigger } from './run-request.ts'
import type { Connection, Kind, Slot } from './slots.ts'

/** The latest nights of a model. */
export interface Latest {
  name: string
  /** The newest night that was due or has run. */
  last: Slot | undefined
  /** The newest published night. */
  published: Slot | undefined
  /** The next night of the schedule: one that a backfill has asked for is due within seconds, whatever its as-of. */
  next: { partition: string; due: string; deadline: string | null } | undefined
}

const ITS_TIME_CAME = '(due <= $3 or run is not null)'

/** The latest nights of each model: one row per name, however large the ledger is. */
export async function latestOf(connection: Connection, models: string[], now: Date): Promise<Latest[]> {
  const [last, published, next] = await Promise.all([
    newest(connection, 'scores', models, ITS_TIME_CAME, [now]),
    newest(connection, 'scores', models, 'published_run is not null', []),
    connection.query<{ name: string; partition: string; due: string; deadline: string | null }>(
      `select distinct on (name) name, partition, due, deadline from nightshift.slots
        where state not in ('published', 'skipped') and state = 'expected' and due > $1 and schedule is not null
          and kind = 'scores'
        order by name, due`,
      [now],
    ),
  ])
  const nexts = new Map(next.rows.map(({ name, ...row }) => [name, row]))
  return models.map((name) => ({
    name,
    last: last.get(name),
    published: published.get(name),
    next: nexts.get(name),
  }))
}

/** The newest night of each view that was due or has run. */
export async function lastOfViews(
  connection: Connection,
  views: string[],
  now: Date,
): Promise<Map<string, Slot>> {
  return await newest(connection, 'features', views, ITS_TIME_CAME, [now])
}

/** The newest slot of each name that meets a condition. */
async function newest(
  connection: Connection,
  kind: Kind,
  names: string[],
  condition: string,
  values: unknown[],
): Promise<Map<string, Slot>> {
  const { rows } = await connection.query<Slot>(
    `select s.* from unnest($2::text[]) as subject(name)
      cross join lateral (select * from nightshift.slots
                           where kind = $1 and name = subject.name and ${condition}
                           order by as_of desc limit 1) s`,
    [kind, names, ...values],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

/** A run in lists: without its checks and inputs, which may be long. */
export interface BriefRun {
  id: string
  state: RunState
  trigger: Trigger
  version: number | null
  rows: number | null
  reason: string | null
  requested_by: string | null
  failure: FailureRecord | null
  features_run: string | null
  /** Messages of the expectations that failed. */
  failed_checks: string[]
}

export async function briefRuns(connection: Connection, ids: string[]): Promise<Map<string, BriefRun>> {
  const { rows } = await connection.query<BriefRun>(
    `select id, state, trigger, version, rows, reason, requested_by, failure, metadata->>'features_run' as features_run,
            array(select c->>'message' from jsonb_array_elements(checks) c where c->>'passed' = 'false') as failed_checks
       from nightshift.runs where id = any($1)`,
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

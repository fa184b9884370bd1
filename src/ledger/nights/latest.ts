import type { FailureRecord } from '../../pipeline/engine/failure.ts'
import type { RunState } from './run-records.ts'
import type { Trigger } from './run-request.ts'
import type { Connection, Kind, Slot } from './slots.ts'

/** The latest nights of a model or view. */
export interface Latest {
  kind: Kind
  name: string
  /** The newest night that was due or has run. */
  last: Slot | undefined
  /** The newest published night. */
  published: Slot | undefined
  /** The next night of the schedule: one that a backfill has asked for is due within seconds, whatever its as-of. */
  next: { partition: string; due: string; deadline: string | null } | undefined
}

/** The latest nights of each name: one row per name, however large the ledger is. */
export async function latestOf(
  connection: Connection,
  subjects: { kind: Kind; name: string }[],
  now: Date,
): Promise<Latest[]> {
  const kinds = subjects.map(({ kind }) => kind)
  const names = subjects.map(({ name }) => name)
  const newest = (condition: string, values: unknown[]) =>
    connection.query<Slot>(
      `select s.* from unnest($1::text[], $2::text[]) as subject(kind, name)
        cross join lateral (select * from nightshift.slots
                             where kind = subject.kind and name = subject.name and ${condition}
                             order by as_of desc limit 1) s`,
      [kinds, names, ...values],
    )
  const [last, published, next] = await Promise.all([
    newest('(due <= $3 or run is not null)', [now]),
    newest('published_run is not null', []),
    connection.query<{ kind: Kind; name: string; partition: string; due: string; deadline: string | null }>(
      `select distinct on (kind, name) kind, name, partition, due, deadline from nightshift.slots
        where state not in ('published', 'skipped') and state = 'expected' and due > $1 and schedule is not null
        order by kind, name, due`,
      [now],
    ),
  ])
  const key = ({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`
  const byKey = <Row extends { kind: string; name: string }>(rows: Row[]) =>
    new Map(rows.map((row) => [key(row), row]))
  const [lasts, publisheds, nexts] = [byKey(last.rows), byKey(published.rows), byKey(next.rows)]
  return subjects.map(({ kind, name }) => {
    const own = key({ kind, name })
    const [lastRow, publishedRow, nextRow] = [lasts.get(own), publisheds.get(own), nexts.get(own)]
    return {
      kind,
      name,
      last: lastRow,
      published: publishedRow,
      next: nextRow && { partition: nextRow.partition, due: nextRow.due, deadline: nextRow.deadline },
    }
  })
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

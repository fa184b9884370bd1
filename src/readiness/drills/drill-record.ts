import type { ClientBase, Pool } from 'pg'
import type { Author } from '../../ledger/identity/author.ts'
import type { DrillKind } from '../../project/project.ts'

export const DRILLS = ['rollback', 'failure', 'alert', 'drift'] as const satisfies DrillKind[]

/** What was tried on purpose, and what came of it. */
export interface Drill extends Author {
  model: string
  kind: DrillKind
  /** The version that it was tried with; null: the model had none. */
  version: number | null
  /** The view's hash at that time. */
  view_hash: string | null
  passed: boolean
  /** The figure of the drill, in seconds; null: it was not reached. */
  seconds: number | null
  /** One sentence. */
  note: string
  /** ISO 8601 in UTC, by the ledger's clock. */
  at: string
}

export async function recordDrill(connection: ClientBase | Pool, drill: Omit<Drill, 'at'>): Promise<Drill> {
  const { model, kind, version, view_hash, passed, seconds, note, by, os_user, host } = drill
  const { rows } = await connection.query<{ at: string }>(
    `insert into nightshift.drills (model, kind, version, view_hash, passed, seconds, note, by, os_user, host)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning at`,
    [model, kind, version, view_hash, passed, seconds, note, by, os_user, host],
  )
  const at = rows[0]?.at
  if (at === undefined) throw new Error('the ledger returned no row for the drill')
  return { ...drill, at }
}

/** The drills of a model, newest first. */
export async function drillsOf(
  connection: ClientBase | Pool,
  model: string,
  kind?: DrillKind,
): Promise<Drill[]> {
  const { rows } = await connection.query<Drill>(
    `select model, kind, version, view_hash, passed, seconds, note, by, os_user, host, at from nightshift.drills
      where model = $1 and ($2::text is null or kind = $2) order by id desc limit 200`,
    [model, kind ?? null],
  )
  return rows
}

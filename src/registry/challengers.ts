import type { ClientBase, Pool } from 'pg'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { record } from './history-records.ts'

/** A version that scores in shadow as a challenger, from one time to another. Times are ISO 8601. */
export interface Challenge {
  model: string
  version: number
  started_at: string
  started_by: string | null
  /** Null: it still scores. */
  stopped_at: string | null
  stopped_by: string | null
  /** Why it ended. */
  reason: string | null
}

/** A challenger that scores now, with the view that it was registered on. */
export type ActiveChallenger = Pick<Challenge, 'model' | 'version' | 'started_at'> & { view: string }

type Connection = ClientBase | Pool

/** The challengers of all models, or of one. A champion is none, whatever was started before its promotion. */
export async function activeChallengers(connection: Connection, model?: string): Promise<ActiveChallenger[]> {
  const { rows } = await connection.query<ActiveChallenger>(
    `select c.model, c.version, c.started_at, v.view
       from nightshift.challengers c
       join nightshift.versions v on v.model = c.model and v.version = c.version
      where c.stopped_at is null and ($1::text is null or c.model = $1)
        and not exists (select from nightshift.champions p where p.model = c.model and p.version = c.version)
      order by c.model, c.version`,
    [model ?? null],
  )
  return rows
}

/** When versions of a model were in shadow, oldest first. */
export async function challengesOf(connection: Connection, model: string): Promise<Challenge[]> {
  const { rows } = await connection.query<Challenge>(
    `select model, version, started_at, started_by, stopped_at, stopped_by, reason
       from nightshift.challengers where model = $1 order by id`,
    [model],
  )
  return rows
}

/**
 * The ledger's time, but never before a time that it has recorded for this version, the model's nights or the version's
 * features. A clock set back would otherwise let nights of the past count as nights that were lived through.
 */
export const LATEST = `greatest(now(),
  (select registered_at from nightshift.versions where model = $1 and version = $2),
  (select max(started_at) from nightshift.challengers where model = $1),
  (select max(first_at) from nightshift.shadow_scores where model = $1),
  (select max(t.at) from nightshift.standings t join nightshift.slots s on s.id = t.slot
    where (s.kind = 'scores' and s.name = $1)
       or (s.kind = 'features' and s.name = (select view from nightshift.versions where model = $1 and version = $2))))`

/** Starts a version in shadow. Returns false if it is there already. */
export async function startChallenge(
  database: Database,
  { model, version, by, evidence = {} }: ShadowChange,
): Promise<boolean> {
  return transaction(database, async (client) => {
    const { rowCount } = await client.query(
      `insert into nightshift.challengers (model, version, started_at, started_by)
       values ($1, $2, ${LATEST}, $3)
       on conflict (model, version) where stopped_at is null do nothing`,
      [model, version, by],
    )
    if (rowCount === 0) return false
    await record(client, { model, event: 'shadow started', version, by, reason: null, evidence })
    return true
  })
}

/** Ends a version's time in shadow; its nights are kept. Returns false if it was not in shadow. */
export async function stopChallenge(
  database: Database,
  { model, version, by, evidence = {} }: ShadowChange,
): Promise<boolean> {
  return transaction(database, async (client) => {
    if (!(await endChallenge(client, { model, version, by, reason: 'stopped' }))) return false
    await record(client, { model, event: 'shadow stopped', version, by, reason: null, evidence })
    return true
  })
}

export interface ShadowChange {
  model: string
  version: number
  by: string | null
  /** Who did it on which machine, such as `{ os_user, host }`. */
  evidence?: Record<string, unknown>
}

/** In the transaction that promotes or stops the version. */
export async function endChallenge(
  client: ClientBase,
  { model, version, by, reason }: Omit<ShadowChange, 'evidence'> & { reason: 'stopped' | 'promoted' },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update nightshift.challengers set stopped_at = greatest(now(), started_at), stopped_by = $3, reason = $4
      where model = $1 and version = $2 and stopped_at is null`,
    [model, version, by, reason],
  )
  return (rowCount ?? 0) > 0
}

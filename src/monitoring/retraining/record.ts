import type { ClientBase, Pool } from 'pg'
import { whereabouts } from '../../ledger/identity/author.ts'
import type { Trigger } from './triggers.ts'

type Connection = ClientBase | Pool

export type RetrainingStep = 'dataset' | 'command' | 'registration' | 'evaluation' | 'shadow'

/** One retraining of a model. Times are ISO 8601 in UTC. */
export interface Retraining {
  id: number
  model: string
  trigger: Trigger
  reason: string
  dry_run: boolean
  state: 'requested' | 'running' | 'done' | 'failed'
  step: RetrainingStep | null
  /** What it was made with: see recipe.ts. */
  recipe: string | null
  view_hash: string | null
  dataset: string | null
  version: number | null
  champion: number | null
  passed: boolean | null
  outcome: string | null
  /** Relative to the warehouse. */
  log: string | null
  tries: number
  by: string | null
  requested_at: string
  started_at: string | null
  ended_at: string | null
  promoted_at: string | null
}

/** A process that has not been seen for this long works on nothing any more. */
const LOST = `not exists (select from nightshift.processes p
                           where p.id = r.process and p.seen_at > clock_timestamp() - interval '15 seconds')`

/** A retraining that was lost is begun again this often in all. */
export const MOST_TRIES = 2

/** Asks for a retraining. Undefined where one of the model is open: there is one at a time. */
export async function requestRetraining(
  connection: Connection,
  request: Pick<Retraining, 'model' | 'trigger' | 'reason' | 'dry_run' | 'by'>,
): Promise<Retraining | undefined> {
  const { os_user, host } = whereabouts()
  const { rows } = await connection.query<Retraining>(
    `insert into nightshift.retrainings (model, trigger, reason, dry_run, by, os_user, host)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning *`,
    [request.model, request.trigger, request.reason, request.dry_run, request.by, os_user, host],
  )
  return rows[0] && toRetraining(rows[0])
}

/** Takes a retraining that nobody works on. Undefined where somebody does, or where it is over. */
export async function claimRetraining(
  connection: Connection,
  id: number,
  process: string,
): Promise<Retraining | undefined> {
  const { rows } = await connection.query<Retraining>(
    `update nightshift.retrainings r
        set state = 'running', process = $2, tries = tries + 1, started_at = coalesce(started_at, now()), step = null
      where id = $1 and (state = 'requested' or (state = 'running' and ${LOST})) returning *`,
    [id, process],
  )
  return rows[0] && toRetraining(rows[0])
}

/** Records how far it is. Throws where another process has taken it over: what follows is that one's. */
export async function recordProgress(
  connection: Connection,
  { id, process }: { id: number; process: string },
  facts: Partial<
    Pick<Retraining, 'step' | 'recipe' | 'view_hash' | 'dataset' | 'version' | 'champion' | 'passed' | 'log'>
  >,
): Promise<void> {
  const { rowCount } = await connection.query(
    `update nightshift.retrainings
        set step = coalesce($3, step), recipe = coalesce($4, recipe), view_hash = coalesce($5, view_hash),
            dataset = coalesce($6, dataset), version = coalesce($7, version), champion = coalesce($8, champion),
            passed = coalesce($9, passed), log = coalesce($10, log)
      where id = $1 and process = $2 and state = 'running'`,
    [
      id,
      process,
      facts.step ?? null,
      facts.recipe ?? null,
      facts.view_hash ?? null,
      facts.dataset ?? null,
      facts.version ?? null,
      facts.champion ?? null,
      facts.passed ?? null,
      facts.log ?? null,
    ],
  )
  if (rowCount === 0) throw new Error(`retraining ${id} was taken over by another process`)
}

/** Ends it. False where another process has taken it over, or ended it. */
export async function endRetraining(
  connection: Connection,
  { id, process }: { id: number; process: string },
  { state, outcome }: { state: 'done' | 'failed'; outcome: string },
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update nightshift.retrainings set state = $3, outcome = $4, ended_at = now()
      where id = $1 and process = $2 and state = 'running'`,
    [id, process, state, outcome],
  )
  return rowCount === 1
}

/** Ends those whose command was killed: nobody waits for them any more. Those that workers began are begun again. */
export async function endLostCommands(connection: Connection, models: string[]): Promise<void> {
  await connection.query(
    `update nightshift.retrainings r
        set state = 'failed', outcome = 'its process was killed before it was over', ended_at = now()
      where model = any($1) and state = 'running' and process like 'command-%' and ${LOST}`,
    [models],
  )
}

/** Retrainings that wait for a process, or whose process is gone. */
export async function waitingRetrainings(connection: Connection, models: string[]): Promise<Retraining[]> {
  const { rows } = await connection.query<Retraining>(
    `select * from nightshift.retrainings r
      where model = any($1) and (state = 'requested' or (state = 'running' and ${LOST})) order by id`,
    [models],
  )
  return rows.map(toRetraining)
}

export async function findRetraining(connection: Connection, id: number): Promise<Retraining | undefined> {
  const { rows } = await connection.query<Retraining>('select * from nightshift.retrainings where id = $1', [
    id,
  ])
  return rows[0] && toRetraining(rows[0])
}

/** Retrainings of a model, newest first. */
export async function listRetrainings(
  connection: Connection,
  model: string,
  { limit = 20, dryRun }: { limit?: number; dryRun?: boolean } = {},
): Promise<Retraining[]> {
  const { rows } = await connection.query<Retraining>(
    `select * from nightshift.retrainings where model = $1 and ($3::boolean is null or dry_run = $3) order by id desc limit $2`,
    [model, limit, dryRun ?? null],
  )
  return rows.map(toRetraining)
}

/** The retraining of a model that is not over, if there is one. */
export async function openRetraining(connection: Connection, model: string): Promise<Retraining | undefined> {
  const { rows } = await connection.query<Retraining>(
    `select * from nightshift.retrainings where model = $1 and state in ('requested', 'running')`,
    [model],
  )
  return rows[0] && toRetraining(rows[0])
}

/** Versions that were retrained for promotion, newest of each model, whose gate was not asked in the last hours. */
export async function versionsToPromote(connection: Connection, models: string[]): Promise<Retraining[]> {
  const { rows } = await connection.query<Retraining>(
    `select * from (
       select distinct on (model) * from nightshift.retrainings
        where model = any($1) and not dry_run and state = 'done' and version is not null order by model, id desc) r
      where promoted_at is null and passed and (asked_at is null or asked_at < now() - interval '6 hours')`,
    [models],
  )
  return rows.map(toRetraining)
}

/** Records that the gate was asked, and whether the version was promoted. */
export async function recordAsked(connection: Connection, id: number, promoted: boolean): Promise<void> {
  await connection.query(
    `update nightshift.retrainings set asked_at = now(), promoted_at = case when $2 then now() else promoted_at end where id = $1`,
    [id, promoted],
  )
}

function toRetraining(row: Retraining): Retraining {
  return {
    id: row.id,
    model: row.model,
    trigger: row.trigger,
    reason: row.reason,
    dry_run: row.dry_run,
    state: row.state,
    step: row.step,
    recipe: row.recipe,
    view_hash: row.view_hash,
    dataset: row.dataset,
    version: row.version,
    champion: row.champion,
    passed: row.passed,
    outcome: row.outcome,
    log: row.log,
    tries: row.tries,
    by: row.by,
    requested_at: row.requested_at,
    started_at: row.started_at,
    ended_at: row.ended_at,
    promoted_at: row.promoted_at,
  }
}

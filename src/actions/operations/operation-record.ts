import type { ClientBase, Pool } from 'pg'
import * as z from 'zod'
import { whereabouts } from '../../ledger/identity/author.ts'
import type { DrillKind } from '../../project/project.ts'
import type { RecordedGate } from '../../readiness/gate-on-record.ts'

type Connection = ClientBase | Pool

/** The options of the command that does the same, beside the version. */
const Options = z.object({
  override: z.string().optional(),
  reason: z.string().optional(),
  from: z.string().optional(),
  withdraw: z.boolean().optional(),
})
export type OperationOptions = z.infer<typeof Options>

export type OperationKind = 'gate' | 'promotion' | 'rollback' | 'drill'

/** Work on a model that a worker does because a person or a schedule asked for it. Times are ISO 8601 in UTC. */
export interface Operation {
  id: number
  model: string
  kind: OperationKind
  /** Which drill; null: it is none. */
  drill: DrillKind | null
  version: number | null
  options: OperationOptions
  /** The schedule that asks for it; null: a person. */
  schedule: string | null
  state: 'requested' | 'running' | 'done' | 'failed'
  progress: string | null
  passed: boolean | null
  /** What came of it, in a sentence. */
  outcome: string | null
  gate: RecordedGate | null
  tries: number
  by: string | null
  requested_at: string
  started_at: string | null
  ended_at: string | null
}

/** A process that has not been seen for this long works on nothing any more. */
const LOST = `not exists (select from nightshift.processes p
                           where p.id = o.process and p.seen_at > clock_timestamp() - interval '15 seconds')`

export type OperationRequest = Pick<Operation, 'model' | 'kind' | 'version' | 'by'> &
  Partial<Pick<Operation, 'drill' | 'options' | 'schedule'>>

/** Asks for it. Undefined where the same of the model is open. */
export async function recordRequest(
  connection: Connection,
  { model, kind, drill = null, version, options = {}, schedule = null, by }: OperationRequest,
): Promise<Operation | undefined> {
  const { os_user, host } = whereabouts()
  const { rows } = await connection.query<Operation>(
    `insert into nightshift.operations (model, kind, drill, version, options, schedule, by, os_user, host)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning *`,
    [model, kind, drill, version, JSON.stringify(options), schedule, by, os_user, host],
  )
  return rows[0] && toOperation(rows[0])
}

/** Takes one that nobody works on. Undefined where somebody does, it is over, or another drill of the model runs. */
export async function claimOperation(
  connection: Connection,
  id: number,
  process: string,
): Promise<Operation | undefined> {
  try {
    const { rows } = await connection.query<Operation>(
      `update nightshift.operations o
          set state = 'running', process = $2, tries = tries + 1, progress = null,
              started_at = coalesce(started_at, now())
        where id = $1 and (state = 'requested' or (state = 'running' and ${LOST})) returning *`,
      [id, process],
    )
    return rows[0] && toOperation(rows[0])
  } catch (error) {
    // The index one_running_drill: a drill of the model was claimed at the same time.
    if (error instanceof Error && 'code' in error && error.code === '23505') return undefined
    throw error
  }
}

export async function recordStep(
  connection: Connection,
  { id, process }: { id: number; process: string },
  progress: string,
): Promise<void> {
  await connection.query(
    `update nightshift.operations set progress = $3 where id = $1 and process = $2 and state = 'running'`,
    [id, process, progress],
  )
}

/** Gives it back, to be begun again from the start. */
export async function handBack(
  connection: Connection,
  { id, process }: { id: number; process: string },
  progress: string,
): Promise<void> {
  await connection.query(
    `update nightshift.operations set state = 'requested', process = null, tries = tries - 1, progress = $3
      where id = $1 and process = $2 and state = 'running'`,
    [id, process, progress],
  )
}

export type Outcome = Pick<Operation, 'state' | 'passed' | 'outcome'> & { gate?: RecordedGate | undefined }

/** Ends it. False where another process has taken it over, or ended it. */
export async function endOperation(
  connection: Connection,
  { id, process }: { id: number; process: string },
  { state, passed, outcome, gate }: Outcome,
): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update nightshift.operations
        set state = $3, passed = $4, outcome = $5, gate = $6, progress = null, ended_at = now()
      where id = $1 and process = $2 and state = 'running'`,
    [id, process, state, passed, outcome, gate === undefined ? null : JSON.stringify(gate)],
  )
  return rowCount === 1
}

/** Those that wait for a process, or whose process is gone, oldest first. */
export async function waitingOperations(connection: Connection, models: string[]): Promise<Operation[]> {
  const { rows } = await connection.query<Operation>(
    `select * from nightshift.operations o
      where model = any($1) and (state = 'requested' or (state = 'running' and ${LOST})) order by id`,
    [models],
  )
  return rows.map(toOperation)
}

/** Models of which a drill runs now. */
export async function drillingModels(connection: Connection): Promise<Set<string>> {
  const { rows } = await connection.query<{ model: string }>(
    `select model from nightshift.operations o where kind = 'drill' and state = 'running' and not (${LOST})`,
  )
  return new Set(rows.map(({ model }) => model))
}

/** The operations of a model, newest first. */
export async function operationsOf(connection: Connection, model: string, limit = 20): Promise<Operation[]> {
  const { rows } = await connection.query<Operation>(
    'select * from nightshift.operations where model = $1 order by id desc limit $2',
    [model, limit],
  )
  return rows.map(toOperation)
}

function toOperation(row: Operation): Operation {
  return {
    id: row.id,
    model: row.model,
    kind: row.kind,
    drill: row.drill,
    version: row.version,
    options: Options.parse(row.options),
    schedule: row.schedule,
    state: row.state,
    progress: row.progress,
    passed: row.passed,
    outcome: row.outcome,
    gate: row.gate,
    tries: row.tries,
    by: row.by,
    requested_at: row.requested_at,
    started_at: row.started_at,
    ended_at: row.ended_at,
  }
}

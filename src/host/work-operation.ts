import * as z from 'zod'
import { askGate } from '../actions/ask-gate.ts'
import { drilledVersion } from '../actions/drilled-version.ts'
import { computesInCopy, nightRuns } from '../actions/operations/enqueue-operations.ts'
import {
  claimOperation,
  endOperation,
  handBack,
  type Operation,
  type Outcome,
  recordStep,
} from '../actions/operations/operation-record.ts'
import { promoteVersion } from '../actions/promote-version.ts'
import { withRollbackLock } from '../actions/rollback/roll-back.ts'
import { takeBack } from '../actions/rollback/take-back.ts'
import { withdrawChampion } from '../actions/rollback/withdraw-champion.ts'
import { mailOwners } from '../alerts/delivery/mail-owners.ts'
import { drillLetter } from '../alerts/letters/notices/drill-letter.ts'
import { transaction } from '../ledger/connection/database.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import type { Gate } from '../readiness/gate.ts'
import { gateToRecord, summaryOf } from '../readiness/gate-on-record.ts'
import type { ChildRunner } from '../readiness/item.ts'
import type { Context } from '../workers/context.ts'
import { runDrill } from './drills/run-drill.ts'
import { openQuietLog } from './open-log.ts'
import type { Session } from './session.ts'

/** The payload of a job. It can be edited on the board, so it is validated here; everything else is in the ledger. */
const OperationJob = z.object({ operation: z.number().int().positive() })

/** One whose process was killed is begun again this often in all; a change of the champion is not. */
const MOST_TRIES: Record<Operation['kind'], number> = { gate: 2, drill: 2, promotion: 1, rollback: 1 }
/** How long people have to answer the mail of an alert drill. */
const ANSWER_MS = 15 * 60_000
const LOOK_MS = 5_000

/** What carries an operation out. */
interface Work {
  session: Session
  context: Context
  model: Model
  operation: Operation
  signal: AbortSignal
  say: (text: string) => void
}

/**
 * Carries out an operation that is asked for, and records how it ended. A drill makes way for a night that begins; it is begun
 * again when the night has ended, and so is one whose worker is told to stop.
 */
export async function workOperation(
  session: Session,
  context: Context,
  data: unknown,
  signal: AbortSignal,
): Promise<string> {
  const { database, log } = context
  const { pool } = database
  const { operation: id } = OperationJob.parse(data)
  const operation = await claimOperation(pool, id, context.id)
  if (operation === undefined) return 'another process works on it, or it is over'
  const own = { id, process: context.id }
  const model = context.project().models[operation.model]
  if (model === undefined) {
    await endOperation(pool, own, failed(`model ${operation.model} is no longer in the project`))
    return 'its model is gone'
  }
  const stop = new AbortController()
  const stopped = AbortSignal.any([signal, stop.signal])
  const say = (text: string) => {
    log.info({ model: model.name, operation: id }, text)
    recordStep(pool, own, text).catch(() => {})
  }
  const makeWay = async () => {
    if (stop.signal.aborted || !(await nightRuns(pool))) return
    stop.abort(new Error('a night has begun'))
    say('a night has begun, so it makes way')
  }
  // A ledger that cannot be reached is met by the drill itself.
  const watch = computesInCopy(operation)
    ? setInterval(() => void makeWay().catch(() => {}), LOOK_MS)
    : undefined
  let outcome: Outcome
  try {
    if (operation.tries > MOST_TRIES[operation.kind])
      throw new ConfigurationError('the process that worked on it was killed; ask for it again')
    outcome = await carryOut({ session, context, model, operation, signal: stopped, say })
  } catch (error) {
    if (stopped.aborted && (operation.kind === 'gate' || operation.kind === 'drill')) {
      const why = signal.aborted ? 'its worker was stopped' : 'a night runs'
      await handBack(pool, own, `it begins again: ${why}`)
      return `handed back: ${why}`
    }
    outcome = failed(error instanceof Error ? error.message : String(error))
    if (!(error instanceof ConfigurationError))
      log.error({ model: model.name, operation: id, error: outcome.outcome }, `${operation.kind} failed`)
  } finally {
    clearInterval(watch)
  }
  await end({ context, model, operation }, outcome)
  log.info(
    { model: model.name, operation: id },
    `${operation.drill ?? operation.kind} ${outcome.state}: ${outcome.outcome}`,
  )
  context.wake()
  return `${outcome.state}: ${outcome.outcome}`
}

function failed(outcome: string): Outcome {
  return { state: 'failed', passed: null, outcome }
}

/** Records how it ended. A drill of a schedule that did not pass is mailed in the same transaction, so once. */
async function end(
  { context, model, operation }: Pick<Work, 'context' | 'model' | 'operation'>,
  outcome: Outcome,
): Promise<void> {
  const { schedule, drill, version } = operation
  await transaction(context.database, async (client) => {
    const mine = await endOperation(client, { id: operation.id, process: context.id }, outcome)
    if (!mine || schedule === null || drill === null || outcome.passed === true) return
    const letter = drillLetter({
      model: model.name,
      drill,
      version,
      schedule,
      tried: outcome.state === 'done',
      note: outcome.outcome ?? '',
    })
    await mailOwners(client, context.project(), model, letter)
  })
}

function carryOut(work: Work): Promise<Outcome> {
  switch (work.operation.kind) {
    case 'gate':
      return askAgain(work)
    case 'drill':
      return tryOut(work)
    case 'promotion':
      return putLive(work)
    case 'rollback':
      return withRollbackLock(ledgerOf(work), work.model, (mine) => goBack(work, mine))
  }
}

async function askAgain(work: Work): Promise<Outcome> {
  const { model, operation, signal, say } = work
  say('the gate is asked')
  const gate = await askGate(ledgerOf(work), model, operation.version ?? undefined, inMonitors(work))
  // An interrupted child makes items fail that have not been asked.
  signal.throwIfAborted()
  return done(gate.ready, `${summaryOf(gate)}: ${gate.ready ? 'ready' : 'not ready'}`, gate)
}

async function tryOut(work: Work): Promise<Outcome> {
  const { session, context, model, operation, signal, say } = work
  const { drill, version: number, by } = operation
  if (drill === null) throw new Error(`operation ${operation.id} names no drill`)
  const drilled = await drilledVersion(ledgerOf(work), model, number ?? undefined)
  // The nights of the copy are none of the project's: their lines are not among those of its own nights.
  const log = openQuietLog(session.environment.logLevel).child({ drill: operation.id })
  const { passed, note } = await runDrill(drill, {
    session: { ...session, log, project: context.project() },
    model,
    ...drilled,
    by,
    log,
    signal,
    say,
    waitMs: ANSWER_MS,
  })
  return done(passed, note)
}

async function putLive(work: Work): Promise<Outcome> {
  const { model, operation, say } = work
  const { version, options, by } = operation
  if (version === null) throw new Error(`operation ${operation.id} names no version`)
  say('the gate is asked')
  const request = { version, by, override: options.override ?? null, reason: options.reason }
  const { done: promoted, refused } = await promoteVersion(ledgerOf(work), model, request, inMonitors(work))
  if (refused !== undefined) {
    const open = refused.items.filter(({ status }) => status === 'fail').map(({ id }) => id)
    return done(
      false,
      `version ${version} is not promoted, ${open.length} items are open: ${open.join(', ')}`,
      refused,
    )
  }
  const { from, to } = promoted
  return done(
    true,
    from === to
      ? `version ${to} is the champion already`
      : `version ${to} is the champion${from === null ? '' : `, version ${from} was`}`,
  )
}

async function goBack(work: Work, mine: boolean): Promise<Outcome> {
  const { context, model, operation, say } = work
  const { version, options, by } = operation
  const { from, reason, withdraw } = options
  if (withdraw === true) {
    say(`version ${version} is taken out of service`)
    const { version: gone, nights } = await withdrawChampion(context, model, { from, reason, by })
    return done(
      true,
      `version ${gone} is out of service${nights.length === 0 ? '' : `; its scores of ${listed(nights)} are no longer published`}`,
    )
  }
  say(`back to version ${version}`)
  const request = { to: version ?? undefined, from, reason, by }
  const back = await takeBack(context, model, request, mine)
  const published =
    back.republished.length === 0 ? '' : `; its existing scores of ${listed(back.republished)} are published`
  const again = back.cold.length === 0 ? '' : `; a backfill scores ${listed(back.cold)} again`
  return done(
    true,
    `version ${back.to.version} is the champion again${back.from === back.to.version ? '' : `, version ${back.from} was`}${published}${again}`,
  )
}

function done(passed: boolean, outcome: string, gate?: Gate): Outcome {
  return { state: 'done', passed, outcome, gate: gate === undefined ? undefined : gateToRecord(gate) }
}

function listed(nights: string[]): string {
  return nights.length <= 3 ? nights.join(', ') : `${nights.length} nights, ${nights.at(-1)} to ${nights[0]}`
}

function ledgerOf({ context }: Pick<Work, 'context'>) {
  return { project: context.project(), database: context.database }
}

/** In the place of monitoring jobs: no night waits for the gate. */
function inMonitors({ context }: Pick<Work, 'context'>): ChildRunner {
  return {
    run: (task, request, options) => context.children.run(task, request, { lane: 'monitor', ...options }),
  }
}

import { enqueueOperations } from '../actions/operations/enqueue-operations.ts'
import type { Action, LedgerView } from '../jobs/planning/ledger-view.ts'
import { backfillsOpen, loadLedgerView } from '../jobs/planning/load-ledger-view.ts'
import { planBackfills, planReconcile } from '../jobs/planning/planner.ts'
import { keyOf } from '../jobs/planning/upkeep.ts'
import type { Reconciler } from '../jobs/reconciler.ts'
import { enqueueMonitors } from '../monitoring/drift/due.ts'
import { enqueueOutcomes } from '../monitoring/outcomes/due.ts'
import { enqueueParity } from '../monitoring/parity/due.ts'
import { enqueueRetrainings } from '../monitoring/retraining/due.ts'
import { enqueueShadows } from '../monitoring/shadow/due.ts'
import { openRound, type RoundFailure } from './round.ts'

/** A lost attempt is queued by the next round, which need not wait for its usual time. */
const SOON_MS = 100

export interface Reconciled {
  actions: Action[]
  /** Actions that failed; the next round plans and retries them. */
  failures: RoundFailure[]
  /** Milliseconds until the next slot, attempt or deadline is due; undefined if there is none. */
  next: number | undefined
}

/**
 * Derives the necessary actions from calendar, ledger and queue, and executes them; those of backfills are left to
 * `reconcileBackfills`. Any number of processes may do so concurrently: each action takes its slot's lock and runs only if
 * the slot has not changed since the plan was made. A failure stops no other action (round.ts). Throws only if the ledger
 * cannot be read, since nothing can be planned then.
 */
export async function reconcile(reconciler: Reconciler): Promise<Reconciled> {
  const round = openRound(reconciler)
  const view = await loadLedgerView(reconciler, 'nights')
  const requested = new Set(view.slots.filter((slot) => slot.request !== null).map(keyOf))
  const actions = planReconcile(view, { calendar: reconciler.scope === 'calendar' }).filter(
    (action) => reconciler.scope !== 'requested' || isRequested(action, requested),
  )
  await round.act(actions)
  // Every wake-up records that it has seen the schedules, so those actions do not count.
  const quiet = actions.every(({ type }) => type === 'see-schedule')
  if (reconciler.scope !== 'requested' && quiet) {
    const { reconciler: at } = round
    await round.attempt('enqueueing shadows', () => enqueueShadows(at))
    await round.attempt('enqueueing parity', () => enqueueParity(at))
    await round.attempt('enqueueing drift checks', () => enqueueMonitors(at))
    await round.attempt('enqueueing outcomes', () => enqueueOutcomes(at))
    await round.attempt('enqueueing retrainings', () => enqueueRetrainings(at))
    await round.attempt('enqueueing operations', () => enqueueOperations(at))
  }
  return reconciled(view, actions, round.failures())
}

/**
 * The same for backfills. With tens of thousands of nights a round takes from seconds to minutes, for which a night that is
 * due must not wait.
 */
export async function reconcileBackfills(reconciler: Reconciler): Promise<Reconciled> {
  if (!(await backfillsOpen(reconciler.database))) return { actions: [], failures: [], next: undefined }
  const round = openRound(reconciler)
  const view = await loadLedgerView(reconciler, 'backfills')
  const actions = planBackfills(view)
  await round.act(actions)
  return reconciled(view, actions, round.failures())
}

function reconciled(view: LedgerView, actions: Action[], failures: RoundFailure[]): Reconciled {
  const lost = failures.length === 0 && actions.some(({ type }) => type === 'attempt-lost')
  return { actions, failures, next: lost ? SOON_MS : untilNext(view) }
}

/** Milliseconds until the next due time of a slot or attempt, or the next deadline. */
function untilNext(view: LedgerView): number | undefined {
  const now = Date.parse(view.now)
  const times = [
    ...view.slots.map((slot) => (slot.state === 'expected' ? slot.due : null)),
    ...view.slots.map((slot) => (slot.late ? null : slot.deadline)),
    ...view.runs.map((run) => run.next_attempt_at),
  ]
  const ahead = times.flatMap((time) =>
    time === null || Date.parse(time) <= now ? [] : Date.parse(time) - now,
  )
  return ahead.length === 0 ? undefined : Math.min(...ahead)
}

/** True for actions of requested slots and of work already started; false for work that only a schedule requires. */
function isRequested(action: Action, requested: ReadonlySet<string>): boolean {
  switch (action.type) {
    case 'start-run':
      return action.run.trigger !== 'schedule' && action.run.trigger !== 'shadow'
    case 'fail-slot':
      return requested.has(keyOf(action.slot))
    case 'deadline-missed':
    case 'night-given-up':
    case 'skip-slot':
      return false
    default:
      return true
  }
}

import { feedBackfills } from '../jobs/backfills/feed-backfills.ts'
import type { Action, LedgerView } from '../jobs/planning/ledger-view.ts'
import { loadLedgerView } from '../jobs/planning/load-ledger-view.ts'
import { planReconcile } from '../jobs/planning/planner.ts'
import { keyOf } from '../jobs/planning/upkeep.ts'
import type { Reconciler } from '../jobs/reconciler.ts'
import { enqueueMonitors } from '../monitoring/drift/due.ts'
import { enqueueOutcomes } from '../monitoring/outcomes/due.ts'
import { enqueueParity } from '../monitoring/parity/due.ts'
import { enqueueShadows } from '../monitoring/shadow/due.ts'
import { openRound, type RoundFailure } from './round.ts'

export interface Reconciled {
  actions: Action[]
  /** What could not be done; the next round plans and tries it again. */
  failures: RoundFailure[]
  /** Milliseconds until a slot or an attempt is due, or a deadline over; undefined where none is. */
  next: number | undefined
}

/**
 * Derives from calendar, ledger and queue what has to happen, and does it. Any number of processes may do so at
 * once: each action is done under its slot's lock, and only where the slot is still as the plan saw it. What fails
 * stops nothing else (round.ts). Throws only where there is nothing to plan by: the ledger cannot be read.
 */
export async function reconcile(reconciler: Reconciler): Promise<Reconciled> {
  const round = openRound(reconciler)
  await round.attempt('feeding the backfills', () => feedBackfills(reconciler.database))
  const view = await loadLedgerView(reconciler)
  const asked = new Set(view.slots.filter((slot) => slot.request !== null).map(keyOf))
  const actions = planReconcile(view, { calendar: reconciler.scope === 'calendar' }).filter(
    (action) => reconciler.scope !== 'requested' || isAsked(action, asked),
  )
  await round.act(actions)
  // On a clock that moves, each wake-up notes that it has seen the schedules.
  const quiet = actions.every(({ type }) => type === 'see-schedule')
  if (reconciler.scope !== 'requested' && quiet) {
    const { reconciler: at } = round
    await round.attempt('enqueueing shadows', () => enqueueShadows(at))
    await round.attempt('enqueueing parity', () => enqueueParity(at))
    await round.attempt('enqueueing looks at nights', () => enqueueMonitors(at))
    await round.attempt('enqueueing outcomes', () => enqueueOutcomes(at))
  }
  return { actions, failures: round.failures(), next: untilNext(view) }
}

/** Milliseconds to the next moment at which there is something to do: a slot's time, its deadline, or an attempt's. */
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

/** What somebody asked for, and whatever has begun; nothing that only a schedule wants. */
function isAsked(action: Action, asked: ReadonlySet<string>): boolean {
  switch (action.type) {
    case 'start-run':
      return action.run.trigger !== 'schedule'
    case 'fail-slot':
      return asked.has(keyOf(action.slot))
    case 'deadline-missed':
    case 'skip-slot':
      return false
    default:
      return true
  }
}

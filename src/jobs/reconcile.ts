import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { Project } from '../project/project.ts'
import { act, type Effects } from './act.ts'
import { feedBackfills } from './backfill/feed.ts'
import type { Action } from './ledgerview.ts'
import { loadLedgerView } from './load.ts'
import { planReconcile } from './planner.ts'
import type { Queues } from './queues.ts'
import { keyOf } from './upkeep.ts'

export interface Reconciler {
  database: Database
  queues: Queues
  log: Logger
  project(): Project
  effects: Effects
  /**
   * `calendar`: expects what the schedules say. `ledger`: works on what is in the ledger.
   * `requested`: as `ledger`, but starts only what somebody asked for; the nights are left to a scheduler.
   */
  scope: 'calendar' | 'ledger' | 'requested'
}

/**
 * Derives from calendar, ledger and queue what has to happen, and does it. Any number of processes may do so at
 * once: each action is done under its slot's lock, and only where the slot is still as the plan saw it.
 */
export async function reconcile(reconciler: Reconciler): Promise<Action[]> {
  await feedBackfills(reconciler.database)
  const view = await loadLedgerView(reconciler)
  const asked = new Set(view.slots.filter((slot) => slot.request !== null).map(keyOf))
  const actions = planReconcile(view, { calendar: reconciler.scope === 'calendar' }).filter(
    (action) => reconciler.scope !== 'requested' || isAsked(action, asked),
  )
  for (const action of actions) await act(reconciler, action)
  return actions
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

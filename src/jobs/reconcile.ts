import type { Logger } from 'pino'
import type { Database } from '../database/database.ts'
import type { Project } from '../project/project.ts'
import { act, type Effects } from './act.ts'
import { feedBackfills } from './backfill/feed.ts'
import type { Action } from './ledgerview.ts'
import { loadLedgerView } from './load.ts'
import { planReconcile } from './planner.ts'
import type { Queues } from './queues.ts'

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
  const actions = planReconcile(view).filter((action) => within(reconciler.scope, action))
  for (const action of actions) await act(reconciler, action)
  return actions
}

const CALENDAR: ReadonlySet<Action['type']> = new Set([
  'create-slots',
  'move-slot',
  'remove-slot',
  'see-schedule',
  'forget-schedule',
])

function within(scope: Reconciler['scope'], action: Action): boolean {
  if (scope === 'calendar') return true
  if (CALENDAR.has(action.type)) return false
  if (scope === 'ledger') return true
  switch (action.type) {
    case 'start-run':
      return action.run.trigger !== 'schedule'
    case 'deadline-missed':
    case 'skip-slot':
    case 'fail-slot':
      return false
    default:
      return true
  }
}

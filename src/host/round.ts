import { act } from '../jobs/carry-out.ts'
import type { Action } from '../jobs/planning/ledger-view.ts'
import type { JobQueues } from '../jobs/queue/queues.ts'
import { within } from '../jobs/queue/within.ts'
import type { Reconciler } from '../jobs/reconciler.ts'

export interface RoundFailure {
  /** `start-run features activity 2026-11-22`. */
  what: string
  error: unknown
}

/** One round of the reconciler: failures are collected and logged, and all other actions still run. */
export interface Round {
  /** The given reconciler, with this round's queue client. */
  reconciler: Reconciler
  attempt(what: string, work: () => Promise<unknown>): Promise<boolean>
  act(actions: Action[]): Promise<void>
  failures(): RoundFailure[]
}

/** An action is a few statements and at most a rename; a hanging disk must not delay the report of a missed deadline. */
const ACTION_MS = 15_000

export function openRound(given: Reconciler): Round {
  const failures: RoundFailure[] = []
  const reconciler = { ...given, queues: stopAfterFailure(given.queues) }

  const attempt: Round['attempt'] = async (what, work) => {
    try {
      await work()
      return true
    } catch (error) {
      // All actions fail with the same error if the queue is unavailable: log it once.
      if (!failures.some((known) => known.error === error)) {
        const message = error instanceof Error ? error.message : String(error)
        given.log.error({ error: message }, `${what} failed and will be retried`)
      }
      failures.push({ what, error })
      return false
    }
  }
  const one = (action: Action) => attempt(titleOf(action), () => within(ACTION_MS, act(reconciler, action)))

  return {
    reconciler,
    attempt,
    async act(actions) {
      const of = (stage: Stage) => actions.filter(({ type }) => STAGES[type] === stage)
      let complete = true
      for (const action of of('calendar')) complete = (await one(action)) && complete
      // A schedule may be recorded as seen only if all of its ticks are in the ledger.
      if (complete) for (const action of of('seen')) await one(action)
      for (const action of of('report')) await one(action)
      await Promise.all(of('disk').map(one))
      for (const action of of('queue')) await one(action)
    },
    failures: () => failures,
  }
}

type Stage = 'calendar' | 'seen' | 'report' | 'disk' | 'queue'

/** Reports to people come first, then actions that need the warehouse's disk, then actions that need the queue. */
const STAGES: Record<Action['type'], Stage> = {
  'create-slots': 'calendar',
  'move-slot': 'calendar',
  'remove-slot': 'calendar',
  'see-schedule': 'seen',
  'forget-schedule': 'seen',
  'deadline-missed': 'report',
  'night-given-up': 'report',
  'skip-slot': 'report',
  'fail-slot': 'report',
  'note-slot': 'report',
  'attempt-lost': 'disk',
  'finish-publishing': 'disk',
  'enqueue-attempt': 'queue',
  'enqueue-shards': 'queue',
  'start-run': 'queue',
}

/** A queue that failed once is not called again in the same round: each timeout takes 5 s. */
function stopAfterFailure(queues: JobQueues): JobQueues {
  let failed: { error: unknown } | undefined
  return {
    ...queues,
    async add(name, job) {
      if (failed !== undefined) throw failed.error
      try {
        await queues.add(name, job)
      } catch (error) {
        failed = { error }
        throw error
      }
    },
  }
}

function titleOf(action: Action): string {
  switch (action.type) {
    case 'create-slots':
      return `${action.type} (${action.slots.length})`
    case 'see-schedule':
    case 'forget-schedule':
      return `${action.type} ${action.schedule}`
    default:
      return `${action.type} ${action.slot.kind} ${action.slot.name} ${action.slot.partition}`
  }
}

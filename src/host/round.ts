import { act } from '../jobs/carry-out.ts'
import type { Action } from '../jobs/planning/ledger-view.ts'
import type { Queues } from '../jobs/queue/queues.ts'
import { within } from '../jobs/queue/within.ts'
import type { Reconciler } from '../jobs/reconciler.ts'

export interface RoundFailure {
  /** `start-run features activity 2026-11-22`. */
  what: string
  error: unknown
}

/** One round of the reconciler: what fails is collected and logged, and everything else is done all the same. */
export interface Round {
  /** Asks the queue of this round. */
  reconciler: Reconciler
  attempt(what: string, work: () => Promise<unknown>): Promise<boolean>
  act(actions: Action[]): Promise<void>
  failures(): RoundFailure[]
}

/** An action is a few statements and at most a rename; a disk that hangs must not keep a deadline from being told. */
const ACTION_MS = 15_000

export function openRound(given: Reconciler): Round {
  const failures: RoundFailure[] = []
  const reconciler = { ...given, queues: askedUntilItFails(given.queues) }

  const attempt: Round['attempt'] = async (what, work) => {
    try {
      await work()
      return true
    } catch (error) {
      // Whoever waits for a queue that is away waits for the same thing: it is said once.
      if (!failures.some((known) => known.error === error)) {
        const message = error instanceof Error ? error.message : String(error)
        given.log.error({ error: message }, `${what} failed; it is tried again`)
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
      // That all ticks are in the ledger may be said only where they are.
      if (complete) for (const action of of('seen')) await one(action)
      for (const action of of('told')) await one(action)
      await Promise.all(of('disk').map(one))
      for (const action of of('queue')) await one(action)
    },
    failures: () => failures,
  }
}

type Stage = 'calendar' | 'seen' | 'told' | 'disk' | 'queue'

/** What people are told comes before what needs the warehouse's disk, and that before what needs the queue. */
const STAGES: Record<Action['type'], Stage> = {
  'create-slots': 'calendar',
  'move-slot': 'calendar',
  'remove-slot': 'calendar',
  'see-schedule': 'seen',
  'forget-schedule': 'seen',
  'deadline-missed': 'told',
  'skip-slot': 'told',
  'fail-slot': 'told',
  'note-slot': 'told',
  'attempt-lost': 'disk',
  'finish-publishing': 'disk',
  'enqueue-attempt': 'queue',
  'start-run': 'queue',
}

/** A queue that has failed once in a round is not asked again in it: each answer that does not come takes 5 s. */
function askedUntilItFails(queues: Queues): Queues {
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

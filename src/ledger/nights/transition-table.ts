import type { RunState } from './run-records.ts'
import type { SlotState } from './slots.ts'

/** What a row's state is before and after; `none`: there is no such row. */
export interface Change<State> {
  from: readonly (State | 'none')[]
  /** `former`: as it was before somebody asked for it. */
  to: State | 'none' | 'former'
}

interface Transition {
  /** When it happens, as a sentence. */
  when: string
  /** Who does it. */
  by: string
  slot?: Change<SlotState>
  run?: Change<RunState>
  /** What it writes beside the states. */
  records: string
}

/** States in which no run works on a slot. */
export const AT_REST = ['expected', 'published', 'held', 'failed', 'skipped'] as const satisfies SlotState[]

export function isAtRest(state: SlotState): boolean {
  return AT_REST.some((each) => each === state)
}

/** A slot that an earlier build left in `publishing` while its run was back in `running` is among those. */
const UNDER_WAY = ['running', 'publishing'] as const satisfies SlotState[]

/**
 * Every change of a slot's and a run's state. slot-transitions.ts and run-transitions.ts have a function for each;
 * docs/states.md is made from this table (`npm run states`).
 */
export const TRANSITIONS = {
  expect: {
    when: 'the calendar has the as-of, or somebody asks for it',
    by: 'planner, command, page',
    slot: { from: ['none'], to: 'expected' },
    records: 'the slot, with its time and deadline',
  },
  forget: {
    when: 'the calendar no longer has it, and no run was made of it',
    by: 'planner',
    slot: { from: ['expected'], to: 'none' },
    records: 'nothing',
  },
  request: {
    when: 'somebody asks for the scores, whose features may come first',
    by: 'command, backfill',
    slot: { from: AT_REST, to: 'expected' },
    records: "the slot's request",
  },
  create: {
    when: 'it is due and what it needs is published; or a retry, a refresh or a rollback is asked for',
    by: 'planner, command, page, backfill',
    slot: { from: AT_REST, to: 'queued' },
    run: { from: ['none'], to: 'queued' },
    records: 'the run, with its settings',
  },
  begin: {
    when: 'a worker takes the job',
    by: 'worker',
    slot: { from: ['queued'], to: 'running' },
    run: { from: ['queued'], to: 'running' },
    records: 'the attempt, with its fence',
  },
  retry: {
    when: 'the attempt failed or was lost, and attempts are left',
    by: 'worker, planner',
    slot: { from: UNDER_WAY, to: 'queued' },
    run: { from: ['running'], to: 'queued' },
    records: 'the attempt ended, `failed` or `lost`',
  },
  wait: {
    when: 'the data is late and its window is open',
    by: 'worker',
    slot: { from: UNDER_WAY, to: 'waiting' },
    run: { from: ['running'], to: 'waiting' },
    records: 'the attempt ended, `waiting`',
  },
  wake: {
    when: 'it is time to look for the data again',
    by: 'planner',
    slot: { from: ['waiting'], to: 'queued' },
    run: { from: ['waiting'], to: 'queued' },
    records: 'nothing',
  },
  hold: {
    when: 'an expectation or a contract is broken',
    by: 'worker, planner',
    slot: { from: UNDER_WAY, to: 'held' },
    run: { from: ['running'], to: 'held' },
    records: 'the attempt ended, `held` or `lost`; an incident',
  },
  fail: {
    when: 'the failure is final, or no attempt is left',
    by: 'worker, planner',
    slot: { from: UNDER_WAY, to: 'failed' },
    run: { from: ['running'], to: 'failed' },
    records: 'the attempt ended, `failed` or `lost`; an incident',
  },
  commit: {
    when: "the file is read back, its expectations hold, and the fence is still the attempt's",
    by: 'worker',
    slot: { from: ['running'], to: 'publishing' },
    run: { from: ['running'], to: 'publishing' },
    records: "the attempt ended, `published`; the file's hash",
  },
  restore: {
    when: 'a rollback has the scores that the version made in shadow',
    by: 'command',
    slot: { from: ['queued'], to: 'publishing' },
    run: { from: ['queued'], to: 'publishing' },
    records: "an attempt that ended, `published`; the file's hash",
  },
  release: {
    when: 'a person releases what was held',
    by: 'command, page',
    slot: { from: AT_REST, to: 'publishing' },
    run: { from: ['held'], to: 'publishing' },
    records: 'who released it and why',
  },
  publish: {
    when: 'the file has its stable name',
    by: 'worker, planner, command, page',
    slot: { from: ['publishing'], to: 'published' },
    run: { from: ['publishing'], to: 'published' },
    records: 'which file stands since when; incidents closed',
  },
  'take back': {
    when: 'the committed file is gone before it had its stable name',
    by: 'worker, planner, command, page',
    slot: { from: ['publishing'], to: 'running' },
    run: { from: ['publishing'], to: 'running' },
    records: 'nothing; the attempt fails',
  },
  'fail unrun': {
    when: 'no run can be made of it: its model has no champion',
    by: 'planner',
    slot: { from: ['expected'], to: 'failed' },
    records: 'an incident',
  },
  skip: {
    when: 'a person gives it up, or the schedule does (catch-up, pause)',
    by: 'command, page, planner',
    slot: { from: ['expected', 'waiting', 'queued', 'held', 'failed', 'skipped'], to: 'skipped' },
    run: { from: ['queued', 'waiting'], to: 'cancelled' },
    records: 'the reason; incidents closed',
  },
  reopen: {
    when: 'the published file is gone or is not the one that was published, and no copy is kept',
    by: 'planner, command',
    slot: { from: ['published'], to: 'expected' },
    records: "the slot's request",
  },
  withdraw: {
    when: 'a backfill is paused or cancelled before a worker took the job',
    by: 'command',
    slot: { from: ['expected', 'waiting', 'queued'], to: 'former' },
    run: { from: ['queued', 'waiting'], to: 'none' },
    records: 'nothing',
  },
} as const satisfies Record<string, Transition>

export type TransitionName = keyof typeof TRANSITIONS

import type { RunState } from './run-records.ts'
import type { SlotState } from './slots.ts'

/** The state of a row before and after; `none`: there is no such row. */
export interface Change<State> {
  from: readonly (State | 'none')[]
  /** `former`: as it was before it was requested. */
  to: State | 'none' | 'former'
}

interface Transition {
  /** When it happens, as a sentence. */
  when: string
  /** Who performs it. */
  by: string
  slot?: Change<SlotState>
  run?: Change<RunState>
  /** What it records in addition to the states. */
  records: string
}

/** States in which no run works on a slot. */
export const AT_REST = ['expected', 'published', 'held', 'failed', 'skipped'] as const satisfies SlotState[]

export function isAtRest(state: SlotState): boolean {
  return AT_REST.some((each) => each === state)
}

/** Includes slots that an earlier build left in `publishing` while their run was `running` again. */
const UNDER_WAY = ['running', 'publishing'] as const satisfies SlotState[]

/**
 * Every change of a slot's and a run's state. slot-transitions.ts and run-transitions.ts have one function for each;
 * docs/states.md is generated from this table (`npm run states`).
 */
export const TRANSITIONS = {
  expect: {
    when: 'the calendar has the as-of, or it is requested',
    by: 'planner, command, page',
    slot: { from: ['none'], to: 'expected' },
    records: 'the slot, with its time and deadline',
  },
  forget: {
    when: 'the calendar no longer has it, and it has no run',
    by: 'planner',
    slot: { from: ['expected'], to: 'none' },
    records: 'nothing',
  },
  request: {
    when: 'the scores are requested; their features may be refreshed first',
    by: 'command, backfill',
    slot: { from: AT_REST, to: 'expected' },
    records: "the slot's request",
  },
  create: {
    when: 'it is due and its inputs are published; or a retry, refresh or rollback is requested',
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
    when: 'the next check for the data is due',
    by: 'planner',
    slot: { from: ['waiting'], to: 'queued' },
    run: { from: ['waiting'], to: 'queued' },
    records: 'nothing',
  },
  hold: {
    when: 'an expectation failed or a contract was violated',
    by: 'worker, planner',
    slot: { from: UNDER_WAY, to: 'held' },
    run: { from: ['running'], to: 'held' },
    records: 'the attempt ended, `held` or `lost`; an incident',
  },
  fail: {
    when: 'the failure is final, or no attempts are left',
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
    when: 'a rollback uses the shadow scores of the version',
    by: 'command',
    slot: { from: ['queued'], to: 'publishing' },
    run: { from: ['queued'], to: 'publishing' },
    records: "an attempt that ended, `published`; the file's hash",
  },
  release: {
    when: 'a person releases the held output',
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
    records: 'which file is published since when; incidents closed',
  },
  'take back': {
    when: 'the committed file disappeared before it had its stable name',
    by: 'worker, planner, command, page',
    slot: { from: ['publishing'], to: 'running' },
    run: { from: ['publishing'], to: 'running' },
    records: 'nothing; the attempt fails',
  },
  'fail unrun': {
    when: 'no run can be created: its model has no champion',
    by: 'planner',
    slot: { from: ['expected'], to: 'failed' },
    records: 'an incident',
  },
  skip: {
    when: 'a person or the schedule (catch-up, pause) gives it up',
    by: 'command, page, planner',
    slot: { from: ['expected', 'waiting', 'queued', 'held', 'failed', 'skipped'], to: 'skipped' },
    run: { from: ['queued', 'waiting'], to: 'cancelled' },
    records: 'the reason; incidents closed',
  },
  unpublish: {
    when: 'the only version of a model is taken out of service, whatever came of a later run of the night',
    by: 'command',
    slot: { from: ['published', 'held', 'failed', 'skipped'], to: 'skipped' },
    records: 'the reason',
  },
  reopen: {
    when: 'the published file is missing or was replaced, and no copy is kept',
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

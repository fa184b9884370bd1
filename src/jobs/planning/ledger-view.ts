import type { FailureClass } from '../../failures/classes.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import type { SlotRequest } from '../../ledger/nights/run-request.ts'
import type { Kind, Slot } from '../../ledger/nights/slots.ts'
import type { OpenSplit } from '../../ledger/shards/split-records.ts'
import type { Project } from '../../project/project.ts'
import type { PlannedSlot, ScheduleDefinition, ViewsOfModels } from './calendar.ts'

/** `nights`: what schedules and people want. `backfills`: what running backfills want, which may be tens of thousands. */
export type Share = 'nights' | 'backfills'

/**
 * The planner's input: one consistent snapshot of ledger, project and queue, of one share of the work. Plain values, times
 * ISO 8601. A slot missing from `slots` is treated as nonexistent: `ledgerSince` states what has to be loaded.
 */
export interface LedgerView {
  now: string
  project: Project
  /** Views that a model's night needs; a model that is not listed needs the view of its `model.yaml`. */
  views: ViewsOfModels
  /**
   * Views that a night refreshes in addition, for the challengers and warm versions of a model. The champion's scores
   * do not wait for them; they wait for the champion's scores.
   */
  shadow?: ViewsOfModels
  /** The champion of each model that has one. */
  champions: Record<string, number>
  /** The versions that score in shadow as challengers, by model. */
  challengers?: Record<string, number[]>
  /** What the ledger knows about schedules, by name, including those no longer in the project. */
  schedules: Record<string, ScheduleRecord>
  slots: LedgerSlot[]
  /** The share's runs in an open state, and all that are publishing. */
  runs: OpenRun[]
  /** Ids of the jobs that are waiting or active in the queue; undefined if the queue could not be reached. */
  jobs: ReadonlySet<string> | undefined
}

export interface ScheduleRecord {
  /** Its slots start here, unless it has a `start`. */
  first_seen: string
  /** The last wake-up that planned it: slots of earlier ticks are in the ledger. */
  seen: string
  definition: ScheduleDefinition
}

export type LedgerSlot = Pick<
  Slot,
  | 'kind'
  | 'name'
  | 'as_of'
  | 'partition'
  | 'state'
  | 'schedule'
  | 'due'
  | 'deadline'
  | 'reason'
  | 'waits_for'
  | 'request'
  | 'run'
  | 'published_run'
  | 'changed_at'
> & {
  /** Its missed deadline has been reported. */
  late: boolean
  /** Views that this slot's partition needs, if its request names a version other than the champion. */
  views?: string[]
}

export type OpenRun = Pick<
  Run,
  | 'id'
  | 'kind'
  | 'name'
  | 'as_of'
  | 'partition'
  | 'state'
  | 'attempt'
  | 'trigger'
  | 'backfill'
  | 'next_attempt_at'
> & {
  /** The worker of the current attempt: milliseconds since its last heartbeat, undefined if it has signed off. */
  worker: { id: string; silent_ms: number | undefined } | undefined
  /** Of a running attempt that is scored in shards and not joined yet. */
  split?: OpenSplit | undefined
}

/** Identifies a slot by its properties, since a slot created by this plan has no id yet. `as_of` is an instant. */
export interface SlotRef {
  kind: Kind
  name: string
  as_of: string
  partition: string
}

/** Why a slot is skipped, for programs; `reason` is the text for people. */
export type SkipCause = 'catch-up' | 'paused' | 'removed' | 'view-skipped' | 'shadow-only'

/**
 * The actions, in this order, each under the lock of its slot and only if the slot is still in the state that the
 * plan saw. The calendar's actions (the first five) belong in one transaction: `see-schedule` records that all ticks
 * up to `at` are in the ledger.
 */
export type Action =
  | { type: 'create-slots'; slots: PlannedSlot[]; reason: string }
  /** A future slot follows its edited schedule. */
  | {
      type: 'move-slot'
      slot: SlotRef
      schedule: string
      due: string
      deadline: string | undefined
      reason: string
    }
  | { type: 'remove-slot'; slot: SlotRef; reason: string }
  | { type: 'see-schedule'; schedule: string; first_seen: string; at: string; definition: ScheduleDefinition }
  | { type: 'forget-schedule'; schedule: string; reason: string }
  /** The process ended between the commit and the rename: rename, sync, mark as published. */
  | { type: 'finish-publishing'; slot: SlotRef; run: string | null; reason: string }
  /** The attempt's worker is gone, or no longer works on it: record a transient failure. */
  | { type: 'attempt-lost'; slot: SlotRef; run: string; attempt: number; reason: string }
  /** Adds attempt `attempt` to the queue as `job`; a waiting run becomes queued. */
  | { type: 'enqueue-attempt'; slot: SlotRef; run: string; attempt: number; job: string; reason: string }
  /** Adds shards of a split attempt to the queue, or the join of one whose shards are done. */
  | {
      type: 'enqueue-shards'
      slot: SlotRef
      run: string
      attempt: number
      shards: number[]
      join: boolean
      reason: string
    }
  /** Marks the slot late and reports it: see `IncidentPlan`. */
  | { type: 'deadline-missed'; slot: SlotRef; deadline: string; incident: IncidentPlan; reason: string }
  /** Reports a night without a deadline that catch-up gives up; its `skip-slot` follows. */
  | { type: 'night-given-up'; slot: SlotRef; reason: string }
  | { type: 'skip-slot'; slot: SlotRef; cause: SkipCause; reason: string }
  /** Nothing ran, but it must be reported: an incident of that class, mailed like a failed run. */
  | { type: 'fail-slot'; slot: SlotRef; class: FailureClass; message: string }
  | { type: 'start-run'; slot: SlotRef; run: RunPlan; reason: string }
  /** The slot is unchanged and shows what it waits for. */
  | { type: 'note-slot'; slot: SlotRef; reason: string }

/** How a planned run is created. `version` null: the champion at the time of the attempt. */
export type RunPlan = SlotRequest

/**
 * `open`: an incident of kind `deadline` for the subject (or its open one). `join`: an additional event of the
 * subject's open incident about the failure itself; opened as `deadline` only if there is none. `none`: the late
 * scores computed from this view are reported in this plan.
 */
export type IncidentPlan = { do: 'open' | 'join'; subject: { kind: Kind; name: string } } | { do: 'none' }

export function refOf(slot: SlotRef): SlotRef {
  const { kind, name, as_of, partition } = slot
  return { kind, name, as_of, partition }
}

/** The slots of the plan, by `slotKey`; upkeep adds, moves and removes slots in it as planned. */
export type Board = Map<string, LedgerSlot>

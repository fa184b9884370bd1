import type { FailureClass } from '../../failures/classes.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import type { SlotRequest } from '../../ledger/nights/run-request.ts'
import type { Kind, Slot } from '../../ledger/nights/slots.ts'
import type { Project } from '../../project/project.ts'
import type { PlannedSlot, ScheduleDefinition, ViewsOfModels } from './calendar.ts'

/**
 * What the planner looks at: one consistent reading of ledger, project and queue. Plain values, times ISO 8601.
 * A slot that is left out of `slots` is taken for not there: see `ledgerSince` for what has to be loaded.
 */
export interface LedgerView {
  now: string
  project: Project
  /** Views that a model's night needs; a model that is not listed needs the view of its `model.yaml`. */
  views: ViewsOfModels
  /** Views that a night refreshes beside them, for the warm versions of a model: no scores of the champion wait for these. */
  beside?: ViewsOfModels
  /** The champion of each model that has one. */
  champions: Record<string, number>
  /** What the ledger knows of schedules, by name, also of those that the project no longer has. */
  schedules: Record<string, ScheduleRecord>
  slots: LedgerSlot[]
  /** All runs in an open state. */
  runs: OpenRun[]
  /** Ids of the jobs that the queue still has to work on or works on; undefined where it could not be asked. */
  jobs: ReadonlySet<string> | undefined
}

export interface ScheduleRecord {
  /** Its slots begin here, unless it says `start`. */
  first_seen: string
  /** The last wake-up that planned it: slots of ticks before that are in the ledger. */
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
  /** Somebody has been told that it missed its deadline. */
  late: boolean
  /** Views that this slot's partition needs, where its request asks for another version than the champion. */
  views?: string[]
}

export type OpenRun = Pick<
  Run,
  'id' | 'kind' | 'name' | 'as_of' | 'partition' | 'state' | 'attempt' | 'backfill' | 'next_attempt_at'
> & {
  /** The worker of the current attempt: milliseconds since it last named it, undefined where it has signed off. */
  worker: { id: string; silent_ms: number | undefined } | undefined
}

/** Names a slot by what it is, since one that this plan creates has no id yet. `as_of` is an instant. */
export interface SlotRef {
  kind: Kind
  name: string
  as_of: string
  partition: string
}

/** Why a slot is skipped, for whoever acts on it; `reason` says it to people. */
export type SkipCause = 'catch-up' | 'paused' | 'removed' | 'view-skipped'

/**
 * What to do, in this order, each under the lock of its slot and only where the slot is still in the state that the
 * plan saw. The calendar's actions (first five) belong into one transaction: `see-schedule` says that all ticks up to
 * `at` are in the ledger.
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
  /** The slot was left between the transaction that commits and the rename: rename, sync, say published. */
  | { type: 'finish-publishing'; slot: SlotRef; run: string | null; reason: string }
  /** The attempt's worker is gone, or works on it no longer: record it as a transient failure. */
  | { type: 'attempt-lost'; slot: SlotRef; run: string; attempt: number; reason: string }
  /** Puts attempt `attempt` into the queue as `job`; a waiting run becomes queued. */
  | { type: 'enqueue-attempt'; slot: SlotRef; run: string; attempt: number; job: string; reason: string }
  /** Marks the slot late and tells somebody: see `IncidentPlan`. */
  | { type: 'deadline-missed'; slot: SlotRef; deadline: string; incident: IncidentPlan; reason: string }
  | { type: 'skip-slot'; slot: SlotRef; cause: SkipCause; reason: string }
  /** Nothing ran, and somebody has to be told all the same: an incident of that class, mailed like a failed run. */
  | { type: 'fail-slot'; slot: SlotRef; class: FailureClass; message: string }
  | { type: 'start-run'; slot: SlotRef; run: RunPlan; reason: string }
  /** The slot stays as it is and says what it waits for. */
  | { type: 'note-slot'; slot: SlotRef; reason: string }

/** How a planned run is to be made. `version` null: the champion at the time of the attempt. */
export type RunPlan = SlotRequest

/**
 * `open`: an incident of kind `deadline` for the subject (or its open one). `join`: the subject's incident that is open
 * for the failure itself, as a further event; opened as `deadline` only where there is none. `none`: those who read the
 * scores computed from this view are told in this plan.
 */
export type IncidentPlan = { do: 'open' | 'join'; subject: { kind: Kind; name: string } } | { do: 'none' }

export function refOf(slot: SlotRef): SlotRef {
  const { kind, name, as_of, partition } = slot
  return { kind, name, as_of, partition }
}

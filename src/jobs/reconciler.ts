import type { ClientBase } from 'pg'
import type { Logger } from 'pino'
import type { FailureClass } from '../failures/classes.ts'
import type { Database } from '../ledger/connection/database.ts'
import type { Answers } from '../ledger/nights/answers.ts'
import type { Run } from '../ledger/nights/run-records.ts'
import type { Slot } from '../ledger/nights/slots.ts'
import type { Project } from '../project/project.ts'
import type { JobQueues } from './queue/queues.ts'

/** What the planner's actions need from the code that runs the work and the code that reports incidents. */
export interface Effects {
  /** Records as a transient failure that an attempt's worker is gone. */
  attemptLost(run: Run, attempt: number): Promise<void>
  /** Moves the file of a run that remained in `publishing` into place. */
  finishPublication(run: string): Promise<void>
  /** Reports the incident, in the transaction that changes the slot. */
  deadlineMissed(client: ClientBase, slot: Slot, message: string): Promise<void>
  nightGivenUp(client: ClientBase, slot: Slot, message: string): Promise<void>
  slotFailed(client: ClientBase, slot: Slot, failureClass: FailureClass, message: string): Promise<void>
  slotSkipped(client: ClientBase, slot: Slot, reason: string): Promise<void>
}

export interface Reconciler {
  database: Database
  queues: JobQueues
  log: Logger
  project(): Project
  effects: Effects
  /** Kept by a process between rounds; without it, silence is measured by the ledger alone. */
  answers?: Answers
  /**
   * `calendar`: creates the slots of the schedules. `ledger`: works on the slots in the ledger. `requested`: like
   * `ledger`, but starts only requested slots; scheduled nights are left to a scheduler.
   */
  scope: 'calendar' | 'ledger' | 'requested'
}

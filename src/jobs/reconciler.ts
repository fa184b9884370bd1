import type { Logger } from 'pino'
import type { Database } from '../ledger/connection/database.ts'
import type { Answers } from '../ledger/nights/answers.ts'
import type { Project } from '../project/project.ts'
import type { Effects } from './carry-out.ts'
import type { Queues } from './queue/queues.ts'

export interface Reconciler {
  database: Database
  queues: Queues
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

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
  /** Kept by a process from round to round; without it silence is taken as the ledger has it. */
  answers?: Answers
  /**
   * `calendar`: expects what the schedules say. `ledger`: works on what is in the ledger.
   * `requested`: as `ledger`, but starts only what somebody asked for; the nights are left to a scheduler.
   */
  scope: 'calendar' | 'ledger' | 'requested'
}

import type { Logger } from 'pino'
import type { Database } from '../ledger/connection/database.ts'
import type { Clock } from '../ledger/connection/ledger-clock.ts'
import type { ActiveAttempts } from '../ledger/workers/active-attempts.ts'
import type { Project } from '../project/project.ts'
import type { OnPublished } from './attempt/publication.ts'
import type { Children } from './child/children.ts'

/** What one worker process uses. */
export interface Context {
  /** This process's id in the ledger. */
  id: string
  database: Database
  children: Children
  /** The attempts that this process runs. */
  activeAttempts: ActiveAttempts
  log: Logger
  /** Absolute path of the project, and of its warehouse. */
  root: string
  warehouse: string
  /** The ledger's clock, for waits, retries and incidents. */
  clock: Clock
  /** Reads the project's files again: they may change between two nights. Throws a contract Failure. */
  project(): Project
  onPublished: OnPublished
  /** Called after a change in the ledger that may unblock other work. */
  wake(): void
}

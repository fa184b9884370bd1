import type { Logger } from 'pino'
import type { Database } from '../ledger/connection/database.ts'
import type { Clock } from '../ledger/connection/ledger-clock.ts'
import type { Hands } from '../ledger/nights/hands.ts'
import type { Project } from '../project/project.ts'
import type { OnPublished } from './attempt/publication.ts'
import type { Children } from './child/children.ts'

/** What one worker process works with. */
export interface Context {
  /** This process's id in the ledger. */
  id: string
  database: Database
  children: Children
  /** The attempts in hand. */
  hands: Hands
  log: Logger
  /** Absolute path of the project, and of its warehouse. */
  root: string
  warehouse: string
  /** What time it is by the ledger: waits, retries, incidents. */
  clock: Clock
  /** Reads the project's files anew: they may change between two nights. Throws a contract Failure. */
  project(): Project
  onPublished: OnPublished
  /** Called when something in the ledger changed that may set other work free. */
  wake(): void
}

import type { Database } from '../database/database.ts'
import type { Queues } from '../jobs/queues.ts'
import type { Project } from '../project/project.ts'

/** What the pages are made from. */
export interface Place {
  database: Database
  queues: Queues
  /** The project's files as they are now. */
  project: () => Project
}

import type { Database } from '../ledger/connection/database.ts'
import type { Project } from '../project/project.ts'

/** What use cases work on: a project as its files are now, and its ledger. */
export interface ProjectLedger {
  project: Project
  database: Database
}

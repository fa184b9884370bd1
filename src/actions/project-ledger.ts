import type { Database } from '../ledger/connection/database.ts'
import type { Project } from '../project/project.ts'

/** The input of use cases: a project with its current files, and its ledger. */
export interface ProjectLedger {
  project: Project
  database: Database
}

import type { Queues } from '../jobs/queue/queues.ts'
import type { Database } from '../ledger/connection/database.ts'
import { type Clock, ledgerClock } from '../ledger/connection/ledger-clock.ts'
import type { Project } from '../project/project.ts'
import type { Client } from './security/client.ts'

/** What the pages read from. */
export interface PageContext {
  database: Database
  queues: Queues
  /** The current project, reread when its files change. */
  project: () => Project
  /** Default: the ledger's. */
  clock?: Clock
}

/** The time that pages show and compare with: the ledger's clock. */
export async function nowAt({ clock, database }: Pick<PageContext, 'clock' | 'database'>): Promise<Date> {
  return (clock ?? ledgerClock(database))()
}

export type Role = 'viewer' | 'operator'

/** The user of a page. If no users are configured, every local user is an operator. */
export interface Viewer {
  name: string
  role: Role
  /** Goes into each form as a hidden field `csrf`. */
  csrf: string
  /** Names of the users who may act; none without sign-in. */
  operators: string[]
  /** A local user without sign-in: there is no session to sign out of. */
  local?: true
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Null on pages that need no sign-in. */
    viewer: Viewer | null
    client: Client
  }
}

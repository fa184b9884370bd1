import type { Queues } from '../jobs/queue/queues.ts'
import type { Database } from '../ledger/connection/database.ts'
import { type Clock, ledgerClock } from '../ledger/connection/ledger-clock.ts'
import type { Project } from '../project/project.ts'
import type { Client } from './security/client.ts'

/** What the pages are made from. */
export interface Place {
  database: Database
  queues: Queues
  /** The project's files as they are now. */
  project: () => Project
  /** Default: the ledger's. */
  clock?: Clock
}

/** What time it is for whoever looks at a page: what is late is late by the ledger's clock. */
export async function nowAt({ clock, database }: Pick<Place, 'clock' | 'database'>): Promise<Date> {
  return (clock ?? ledgerClock(database))()
}

export type Role = 'viewer' | 'operator'

/** Who looks at a page. Without users it is whoever sits at this machine: an operator. */
export interface Viewer {
  name: string
  role: Role
  /** Goes into each form as a hidden field `csrf`. */
  csrf: string
  /** It is whoever sits at this machine: there is nothing to sign out of. */
  local?: true
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Null on the pages that need no sign-in. */
    viewer: Viewer | null
    client: Client
  }
}

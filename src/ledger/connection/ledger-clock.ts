import type { ClientBase, Pool } from 'pg'
import type { Database } from './database.ts'

/** Asks what time it is; within a transaction over its client, where it is the time at which that began. */
export type Clock = (connection?: ClientBase | Pool) => Date | Promise<Date>

/**
 * The one clock by which time is decided: waits, retries, claims, deadlines, what was known when. Machines' own clocks
 * differ, and none of them decides anything.
 */
export function ledgerClock({ pool }: Pick<Database, 'pool'>): Clock {
  return (connection = pool) => ledgerNow(connection)
}

export async function ledgerNow(connection: ClientBase | Pool): Promise<Date> {
  const { rows } = await connection.query<{ now: Date }>('select now() as now')
  const [row] = rows
  if (row === undefined) throw new Error('the ledger was asked for the time and returned no row')
  return row.now
}

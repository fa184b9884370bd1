import type { ClientBase, Pool } from 'pg'
import type { Database } from './database.ts'

/** Returns the current time; within a transaction (using its client) the time at which it began. */
export type Clock = (connection?: ClientBase | Pool) => Date | Promise<Date>

/**
 * The only clock used for decisions: waits, retries, claims, deadlines, and what was known when. The clocks of
 * machines differ and decide nothing.
 */
export function ledgerClock({ pool }: Pick<Database, 'pool'>): Clock {
  return (connection = pool) => ledgerNow(connection)
}

export async function ledgerNow(connection: ClientBase | Pool): Promise<Date> {
  const { rows } = await connection.query<{ now: string }>('select now() as now')
  const [row] = rows
  if (row === undefined) throw new Error('the ledger returned no row for the current time')
  return new Date(row.now)
}

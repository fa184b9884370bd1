import { ack } from '../alerts/incidents/acknowledge.ts'
import { type Database, transaction } from '../ledger/connection/database.ts'
import type { Clock } from '../ledger/connection/ledger-clock.ts'

/**
 * Acknowledges these incidents: they are not mailed again until something new happens. @returns those that were open
 */
export function ackIncidents(
  { database, clock }: { database: Database; clock: Clock },
  ids: number[],
  by: string,
): Promise<number[]> {
  return transaction(database, async (client) => ack(client, await clock(client), ids, by))
}

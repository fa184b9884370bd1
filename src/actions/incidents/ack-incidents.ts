import { acknowledgeTest } from '../../alerts/delivery/alert-tests.ts'
import { ack } from '../../alerts/incidents/acknowledge.ts'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import type { Clock } from '../../ledger/connection/ledger-clock.ts'
import { authorHere } from '../../ledger/identity/author.ts'
import { ConfigurationError } from '../../project/files/problem.ts'

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

/** Records that a test mail reached its recipient. Throws a ConfigurationError if no mail carried this code. */
export async function ackTestMail(
  { database }: { database: Database },
  code: string,
  by: string,
): Promise<{ recipient: string; acked_by: string }> {
  const found = await acknowledgeTest(database.pool, code, { ...authorHere(by), by })
  if (found !== undefined) return found
  throw new ConfigurationError(
    `ack: expected the code of a test mail, got: ${code}, which no mail of this project carries; \`nightshift alert test\` sends one`,
  )
}

import { mute, unmute } from '../alerts/incidents/mutes.ts'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { readDuration } from '../project/time/duration.ts'

/** Suppresses mails about a model or view until a time, or for a duration from now. @returns the end time */
export async function muteSubject(
  database: Database,
  subject: string,
  until: string,
  by: string | null,
): Promise<Date> {
  const span = readDuration(until)
  return transaction(database, async (client) => {
    const now = await ledgerNow(client)
    const end = span === undefined ? new Date(until) : new Date(now.getTime() + span.ms)
    await mute(client, now, subject, end, by ?? undefined)
    return end
  })
}

/** Resumes mails about it. @returns whether it was muted */
export function unmuteSubject(database: Database, subject: string): Promise<boolean> {
  return transaction(database, (client) => unmute(client, subject))
}

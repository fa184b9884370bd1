import { Temporal } from 'temporal-polyfill'
import { type Mute, mute, unmute } from '../../alerts/incidents/mutes.ts'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readDuration } from '../../project/time/duration.ts'

/**
 * Suppresses mails about a model or view, of one kind of incident or of all, until a time, or for a duration from now.
 * @returns the end time
 */
export async function muteSubject(
  database: Database,
  muted: Omit<Mute, 'until'>,
  until: string,
  timezone: string,
): Promise<Date> {
  return transaction(database, async (client) => {
    const now = await ledgerNow(client)
    const end = untilOf(until, now, timezone)
    await mute(client, now, muted, end)
    return end
  })
}

/** Resumes mails about it, of one kind or of all. @returns whether it was muted */
export function unmuteSubject(database: Database, subject: string, kind?: Mute['kind']): Promise<boolean> {
  return transaction(database, (client) => unmute(client, subject, kind))
}

/** A hundred years, as of every duration. */
const MOST_MS = 36_525 * 86_400_000

/** A duration from now on, an instant, or a time in the project's zone. */
function untilOf(text: string, now: Date, timezone: string): Date {
  const ms = readDuration(text)?.ms
  const at = ms === undefined ? timeOf(text, timezone) : now.getTime() + ms
  if (at !== undefined && at > now.getTime() && at <= now.getTime() + MOST_MS) return new Date(at)
  throw new ConfigurationError(
    `--until: expected a time that lies ahead, such as 2026-11-28T06:00 (in ${timezone}) or 2026-11-28T05:00Z, or a span such as 4h, a hundred years at most, got: ${text}`,
  )
}

function timeOf(text: string, timezone: string): number | undefined {
  try {
    return /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text)
      ? Temporal.Instant.from(text).epochMilliseconds
      : Temporal.PlainDateTime.from(text).toZonedDateTime(timezone).epochMilliseconds
  } catch {
    return undefined
  }
}

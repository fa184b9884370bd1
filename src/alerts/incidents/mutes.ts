import type { ClientBase } from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'

/**
 * Suppresses mails about a model or view until the given time. Mails that fall due meanwhile are sent afterwards,
 * except for incidents that opened and closed while muted. The ledger and the pages show all incidents.
 */
export async function mute(
  client: ClientBase,
  now: Date,
  subject: string,
  until: Date,
  by: string | undefined,
): Promise<void> {
  if (Number.isNaN(until.getTime()) || until <= now) {
    throw new ConfigurationError(
      `mute: expected --until to be in the future, got: ${Number.isNaN(until.getTime()) ? 'no time' : until.toISOString()} (now is ${now.toISOString()})`,
    )
  }
  await client.query(
    `insert into nightshift.mutes (subject, until, by) values ($1, $2, $3)
     on conflict (subject) do update set until = excluded.until, by = excluded.by`,
    [subject, until, by ?? null],
  )
}

/** Ends a mute immediately. Returns whether there was one. */
export async function unmute(client: ClientBase, subject: string): Promise<boolean> {
  const { rowCount } = await client.query('delete from nightshift.mutes where subject = $1', [subject])
  return rowCount === 1
}

import type { ClientBase, Pool } from 'pg'
import type { IncidentKind } from '../../failures/incident-kinds.ts'
import { ConfigurationError } from '../../project/files/problem.ts'

/** No mails about a model or view, of one kind of incident or of all, until a time. Times: ISO 8601 in UTC. */
export interface Mute {
  subject: string
  kind: IncidentKind | 'all'
  until: string
  by: string | null
}

/**
 * Suppresses mails about a model or view until the given time: those of one kind of incident, or all. Mails that fall due
 * meanwhile are sent afterwards, except for incidents that opened and closed while muted. The ledger and the pages
 * show all incidents.
 */
export async function mute(
  client: ClientBase,
  now: Date,
  { subject, kind, by }: Omit<Mute, 'until'>,
  until: Date,
): Promise<void> {
  if (Number.isNaN(until.getTime()) || until <= now) {
    throw new ConfigurationError(
      `mute: expected --until to be in the future, got: ${Number.isNaN(until.getTime()) ? 'no time' : until.toISOString()} (now is ${now.toISOString()})`,
    )
  }
  await client.query(
    `insert into nightshift.mutes (subject, kind, until, by, at) values ($1, $2, $3, $4, $5)
     on conflict (subject, kind) do update set until = excluded.until, by = excluded.by, at = excluded.at`,
    [subject, kind, until, by, now],
  )
}

/** Ends a mute of a kind, or all mutes of a subject, immediately. Returns whether there was one. */
export async function unmute(client: ClientBase, subject: string, kind?: Mute['kind']): Promise<boolean> {
  const { rowCount } = await client.query(
    'delete from nightshift.mutes where subject = $1 and ($2::text is null or kind = $2)',
    [subject, kind ?? null],
  )
  return (rowCount ?? 0) > 0
}

/** SQL: whether mails about incident `i` are muted at the time of a parameter, such as `$1`. */
export function isMuted(now: string): string {
  return `exists (select from nightshift.mutes m
                   where m.subject = i.subject and m.kind in ('all', i.kind) and m.until > ${now})`
}

/** The mutes that hold now, by subject. */
export async function activeMutes(connection: ClientBase | Pool, now: Date): Promise<Mute[]> {
  const { rows } = await connection.query<Mute>(
    'select subject, kind, until, by from nightshift.mutes where until > $1 order by subject, kind',
    [now],
  )
  return rows
}

/** Whether a mute is over that nobody has taken away yet. */
export async function isMuteOver(connection: ClientBase | Pool): Promise<boolean> {
  const { rowCount } = await connection.query('select from nightshift.mutes where until <= now() limit 1')
  return rowCount === 1
}

/** Takes away the mutes that are over. @returns them, each once among all processes */
export async function endMutes(client: ClientBase, now: Date): Promise<Mute[]> {
  const { rows } = await client.query<Mute>(
    'delete from nightshift.mutes where until <= $1 returning subject, kind, until, by',
    [now],
  )
  return rows
}

/** `churn (drift)`, or `churn` where everything is muted. */
export function mutedText({ subject, kind }: Pick<Mute, 'subject' | 'kind'>): string {
  return kind === 'all' ? subject : `${subject} (${kind})`
}

import type { Pool } from 'pg'

/**
 * What was seen of these runs (ids) when they were last looked at as the same subject (the second of each pair): why they
 * are stale, null where they are not.
 */
export async function looksOf(
  pool: Pool,
  asked: [run: string, subject: string][],
): Promise<Map<string, string | null>> {
  if (asked.length === 0) return new Map()
  const { rows } = await pool.query<{ run: string; reason: string | null }>(
    `select l.run, l.reason from nightshift.looks l
       join unnest($1::text[], $2::text[]) as asked (run, subject) on asked.run = l.run and asked.subject = l.subject`,
    [asked.map(([run]) => run), asked.map(([, subject]) => subject)],
  )
  return new Map(rows.map(({ run, reason }) => [run, reason]))
}

/** Records what was seen. A run that is gone meanwhile is left out. */
export async function recordLooks(
  pool: Pool,
  subject: string,
  seen: ReadonlyMap<string, string | null>,
): Promise<void> {
  if (seen.size === 0) return
  await pool.query(
    `insert into nightshift.looks (run, subject, reason)
     select run, $1, reason from unnest($2::text[], $3::text[]) as seen (run, reason)
      where run in (select id from nightshift.runs)
     on conflict (run) do update set subject = excluded.subject, reason = excluded.reason, at = now()`,
    [subject, [...seen.keys()], [...seen.values()]],
  )
}

import type { Pool } from 'pg'

export interface Delivering {
  /** Mails and posts that could not be delivered yet, and those that were given up within the last day. */
  waiting: number
  gave_up: number
  /** How many of both are posts to webhooks. */
  posts: number
  /** Why the newest of them was not delivered. */
  error: string | null
  /** A mail server has taken mails within 30 days; else they are written to files. */
  by_server: boolean
}

/** How delivery goes. */
export async function delivering(pool: Pool): Promise<Delivering> {
  const { rows } = await pool.query<Delivering>(
    `with stuck as (
       select id, kind, gave_up_at, last_error from nightshift.outbox
        where sent_at is null and last_error is not null
          and (gave_up_at is null or gave_up_at > now() - interval '1 day'))
     select (select count(*)::int from stuck where gave_up_at is null) as waiting,
            (select count(*)::int from stuck where gave_up_at is not null) as gave_up,
            (select count(*)::int from stuck where kind = 'post') as posts,
            (select last_error from stuck order by id desc limit 1) as error,
            exists (select from nightshift.outbox
                     where kind = 'mail' and sent_at > now() - interval '30 days' and transport not like '%.eml') as by_server`,
  )
  return rows[0] ?? { waiting: 0, gave_up: 0, posts: 0, error: null, by_server: false }
}

import { dateOf } from '../../ledger/connection/value-types.ts'
import { writeMails } from '../letters/write-mails.ts'
import { type Drained, drain, type Post } from './outbox.ts'

/**
 * Writes the mails and posts that are due and sends the contents of the outbox. Each scheduler and worker calls it every few
 * seconds. With `flush` it does not wait for a grouping window: commands use it before they exit, since no other
 * process may be running.
 */
export async function sendDueMails(
  post: Post,
  { flush = false, signal }: { flush?: boolean; signal?: AbortSignal } = {},
): Promise<Drained> {
  await writeMails(post.database, await post.clock(), post.settings, post.log, { flush })
  return drain(post, signal)
}

/**
 * SQL for when the next mails and posts fall due, after an instant that is written in SQL too. Muted ones count: whoever looks then
 * finds nothing to do.
 */
export function mailsAhead(now: string): string {
  return `
  select min(due_at) as at from nightshift.incident_readers where due_at > ${now}
  union all
  select min(due_at) from nightshift.outbox where sent_at is null and gave_up_at is null and due_at > ${now}`
}

/** Milliseconds until the next mail or post falls due, undefined where none is known. */
export async function untilNextMail({
  database,
  clock,
}: Pick<Post, 'database' | 'clock'>): Promise<number | undefined> {
  const now = await clock()
  const { rows } = await database.pool.query<{ at: string | null }>(
    `select min(at) as at from (${mailsAhead('$1')}) d`,
    [now],
  )
  const at = dateOf(rows[0]?.at ?? null)
  return at === undefined ? undefined : at.getTime() - now.getTime()
}

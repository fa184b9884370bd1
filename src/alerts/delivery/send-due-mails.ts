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

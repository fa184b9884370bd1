import { writeMails } from '../letters/write-mails.ts'
import { type Drained, drain, type Post } from './outbox.ts'

/**
 * Everything between an incident and a mailbox, once: writes the mails that are due and sends what lies in the
 * outbox. Called every few seconds by each scheduler and worker. With `flush` it waits for no grouping window: what
 * a command calls before it ends, since nobody may come after it.
 */
export async function tell(
  post: Post,
  { flush = false, signal }: { flush?: boolean; signal?: AbortSignal } = {},
): Promise<Drained> {
  await writeMails(post.database, await post.clock(), post.settings, post.log, { flush })
  return drain(post, signal)
}

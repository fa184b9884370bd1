import type { ClientBase } from 'pg'
import { oneLine } from '../../format/one-line.ts'
import type { Webhook } from '../../project/project.ts'
import { withOwnCommands, withPlace } from '../letters/own-commands.ts'
import { LONGEST_SUBJECT } from '../letters/subject-line.ts'
import { postBody } from '../webhooks/post-body.ts'
import type { PostContent } from '../webhooks/post-content.ts'
import type { AlertSettings } from './alert-settings.ts'
import { newMessageId } from './enqueue-mail.ts'

export type NewPost = Pick<PostContent, 'event' | 'subject' | 'letter' | 'incidents'> & {
  /** Position in a thread; a post without one belongs to no thread. */
  thread?: { id: number; root: string | undefined }
  /** Set if the caller has already created one, for the root of a thread. */
  messageId?: string
}

/** Writes a post to a webhook into the outbox, due at once, with the body that is sent however often it is tried. */
export async function enqueuePost(
  client: ClientBase,
  now: Date,
  webhook: Webhook,
  post: NewPost,
  settings: AlertSettings,
): Promise<{ id: number; messageId: string }> {
  const messageId = post.messageId ?? newMessageId(settings)
  const root = post.thread?.root
  const subject = oneLine(post.subject, LONGEST_SUBJECT)
  const body = postBody(webhook.format, {
    id: bare(messageId),
    thread: bare(root ?? messageId),
    event: post.event,
    project: settings.project,
    at: now,
    subject,
    letter: withPlace(withOwnCommands(post.letter, settings.command), settings),
    incidents: post.incidents,
  })
  const { rows } = await client.query<{ id: number }>(
    `insert into nightshift.outbox
       (kind, thread, recipient, subject, message_id, in_reply_to, body_text, body_html, created_at, due_at)
     values ('post', $1, $2, $3, $4, $5, $6, '', $7, $7) returning id`,
    [post.thread?.id ?? null, webhook.url, subject, messageId, root ?? null, body, now],
  )
  return { id: rows[0]?.id ?? 0, messageId }
}

function bare(messageId: string): string {
  return messageId.replaceAll(/[<>]/g, '')
}

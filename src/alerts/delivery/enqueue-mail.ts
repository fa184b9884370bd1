import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'
import { oneLine } from '../../format/one-line.ts'
import type { Letter } from '../letters/letter.ts'
import { letterHtml } from '../letters/letter-html.ts'
import { letterText } from '../letters/letter-text.ts'
import { requireAddress } from './address.ts'
import type { AlertSettings } from './alert-settings.ts'

/** Longer subjects are folded, and cut by every list of mails. */
const LONGEST_SUBJECT = 160

export interface Attachment {
  filename: string
  /** Such as `image/png`. */
  type: string
  base64: string
  /** Name by which the mail's HTML shows it. */
  cid?: string
}

export interface NewMail {
  recipient: string
  subject: string
  letter: Letter
  attachments?: Attachment[]
  /** Its place in a thread; absent: it stands alone. */
  thread?: { id: number; root: string | undefined }
  /** Where the caller has made one already, for the root of a thread. */
  messageId?: string
}

/**
 * Writes a mail into the outbox, due at once, for one recipient. Its Message-ID is made here and stays, so that a
 * mail that had to be sent twice is one to the client that reads it. Throws a ConfigurationError where the
 * recipient is not one address.
 */
export async function enqueue(
  client: ClientBase,
  now: Date,
  mail: NewMail,
  settings: AlertSettings,
): Promise<{ id: number; messageId: string }> {
  const recipient = requireAddress(mail.recipient, 'recipient')
  const subject = oneLine(mail.subject, LONGEST_SUBJECT)
  const messageId = mail.messageId ?? newMessageId(settings)
  const root = mail.thread?.root
  const { rows } = await client.query<{ id: string }>(
    `insert into nightshift.outbox
       (thread, recipient, subject, message_id, in_reply_to, refs, body_text, body_html, attachments, created_at, due_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) returning id`,
    [
      mail.thread?.id ?? null,
      recipient,
      subject,
      messageId,
      root ?? null,
      root === undefined ? [] : [root],
      letterText(mail.letter),
      letterHtml(mail.letter, subject),
      JSON.stringify(mail.attachments ?? []),
      now,
    ],
  )
  return { id: Number(rows[0]?.id), messageId }
}

/** `<nightshift.UUID@domain of the sender>`. */
export function newMessageId(settings: Pick<AlertSettings, 'from'>): string {
  return `<nightshift.${randomUUID()}@${settings.from.slice(settings.from.lastIndexOf('@') + 1)}>`
}

import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'
import { oneLine } from '../../format/one-line.ts'
import type { Letter } from '../letters/letter.ts'
import { letterHtml } from '../letters/letter-html.ts'
import { letterText } from '../letters/letter-text.ts'
import { withOwnCommands, withPlace } from '../letters/own-commands.ts'
import type { Attachment } from '../letters/pictures.ts'
import { LONGEST_SUBJECT } from '../letters/subject-line.ts'
import { requireAddress } from './address.ts'
import type { AlertSettings } from './alert-settings.ts'

export interface NewMail {
  recipient: string
  subject: string
  letter: Letter
  attachments?: Attachment[]
  /** Position in a thread; a mail without one belongs to no thread. */
  thread?: { id: number; root: string | undefined }
  /** Set if the caller has already created one, for the root of a thread. */
  messageId?: string
}

/**
 * Writes a mail for one recipient into the outbox, due at once. Its Message-ID is created here and does not change,
 * so that mail clients show a mail that had to be sent twice only once. Throws a ConfigurationError if the recipient
 * is not one address.
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
  const letter = withPlace(withOwnCommands(mail.letter, settings.command), settings)
  const { rows } = await client.query<{ id: number }>(
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
      letterText(letter),
      letterHtml(letter, subject),
      JSON.stringify(mail.attachments ?? []),
      now,
    ],
  )
  return { id: rows[0]?.id ?? 0, messageId }
}

/** `<nightshift.UUID@domain of the sender>`. */
export function newMessageId(settings: Pick<AlertSettings, 'from'>): string {
  return `<nightshift.${randomUUID()}@${settings.from.slice(settings.from.lastIndexOf('@') + 1)}>`
}

import type { AlertSettings } from '../delivery/alert-settings.ts'
import type { Attachment } from './pictures.ts'

/** A mail, or a post to a webhook, as stored in the outbox. `text` of a post is the body that is sent. */
export interface OutboxMail {
  id: number
  kind: 'mail' | 'post'
  thread: number | undefined
  recipient: string
  subject: string
  messageId: string
  inReplyTo: string | undefined
  references: string[]
  text: string
  html: string
  attachments: Attachment[]
  createdAt: Date
  tries: number
}

/** A mail as RFC 822 bytes, and its envelope. */
export interface Message {
  mail: OutboxMail
  from: string
  raw: Buffer
}

/**
 * Builds the message. The same row always yields the same headers: Message-ID and Date come from the row.
 * Auto-Submitted and X-Auto-Response-Suppress prevent out-of-office replies.
 */
export async function toMessage(mail: OutboxMail, settings: AlertSettings): Promise<Message> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const composed = new MailComposer({
    from: { name: `Nightshift ${settings.project}`, address: settings.from },
    to: { name: '', address: mail.recipient },
    subject: mail.subject,
    messageId: mail.messageId,
    date: mail.createdAt,
    ...(mail.inReplyTo === undefined ? {} : { inReplyTo: mail.inReplyTo, references: mail.references }),
    text: mail.text,
    html: mail.html,
    attachments: mail.attachments.map((attachment) => ({
      filename: attachment.filename,
      contentType: attachment.type,
      content: Buffer.from(attachment.base64, 'base64'),
      ...(attachment.cid === undefined ? {} : { cid: attachment.cid, contentDisposition: 'inline' as const }),
    })),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  })
  return { mail, from: settings.from, raw: await composed.compile().build() }
}

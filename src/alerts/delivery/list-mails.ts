import type { ClientBase, Pool } from 'pg'
import type { Attachment } from '../letters/pictures.ts'
import { recipientName } from '../webhooks/webhook-name.ts'

export type MailState = 'sent' | 'waiting' | 'given up'

/** A mail or a post in a list. Times are ISO 8601 in UTC. */
export interface ListedMail {
  id: number
  kind: 'mail' | 'post'
  /** An address; of a webhook without its path. */
  recipient: string
  subject: string
  state: MailState
  created_at: string
  sent_at: string | null
  tries: number
  last_error: string | null
  /** How it was sent: a server or a folder. */
  transport: string | null
}

export interface Mail extends ListedMail {
  message_id: string
  in_reply_to: string | null
  /** Of a post, the JSON that is sent. */
  text: string
  html: string
  attachments: Attachment[]
  /** The incidents it reports. */
  incidents: { id: number; subject: string; kind: string }[]
}

export interface MailFilter {
  id?: number
  /** Matches subject or recipient. */
  text?: string
  state?: MailState
  incident?: number
  limit?: number
  offset?: number
}

const STATE = `case when sent_at is not null then 'sent' when gave_up_at is not null then 'given up' else 'waiting' end`
const LISTED = `id, kind, recipient, subject, ${STATE} as state, created_at, sent_at, tries, last_error, transport`
/** Of a webhook, what people see of it: searching must not tell the rest of its URL letter by letter. */
const SEARCHED = `subject || ' ' || case kind when 'post' then substring(recipient from '^https?://[^/?]+') else recipient end`
const WHERE = `($1::bigint is null or id = $1)
   and ($2::text is null or position(lower($2) in lower(${SEARCHED})) > 0)
   and ($3::text is null or ${STATE} = $3)
   and ($4::bigint is null or thread in (select thread from nightshift.incident_readers where incident = $4))`

/** Mails, newest first. */
export async function listMails(
  connection: ClientBase | Pool,
  filter: MailFilter = {},
): Promise<ListedMail[]> {
  const { rows } = await connection.query<ListedMail>(
    `select ${LISTED} from nightshift.outbox where ${WHERE} order by id desc limit $5 offset $6`,
    [...valuesOf(filter), filter.limit ?? 50, filter.offset ?? 0],
  )
  return rows.map(named)
}

/** One mail as it was written, undefined if there is none with that number. */
export async function findMail(connection: ClientBase | Pool, id: number): Promise<Mail | undefined> {
  const { rows } = await connection.query<Mail>(
    `select ${LISTED}, message_id, in_reply_to, body_text as text, body_html as html, attachments,
            (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'subject', i.subject, 'kind', i.kind) order by i.id), '[]')
               from nightshift.incident_readers r join nightshift.incidents i on i.id = r.incident
              where r.thread = outbox.thread) as incidents
       from nightshift.outbox where ${WHERE}`,
    valuesOf({ id }),
  )
  return rows.map(named)[0]
}

function named<M extends ListedMail>(mail: M): M {
  return { ...mail, recipient: recipientName(mail.recipient) }
}

function valuesOf({ id, text, state, incident }: MailFilter): unknown[] {
  return [id ?? null, text ?? null, state ?? null, incident ?? null]
}

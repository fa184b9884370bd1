import type { ClientBase, Pool } from 'pg'
import { canWait, INCIDENT_KINDS } from '../../failures/incident-kinds.ts'
import { dateOf } from '../../ledger/connection/value-types.ts'
import { isWebhook, recipientName } from '../webhooks/webhook-name.ts'

/** The mails that one address received about an incident, or the posts to one webhook. */
export interface Reader {
  recipient: string
  kind: 'mail' | 'post'
  mails: number
  lastMailAt: Date | undefined
  nextMailAt: Date | undefined
}

/** The addresses notified of an incident. */
export async function readersOf(connection: ClientBase | Pool, incident: number): Promise<Reader[]> {
  const { rows } = await connection.query<{
    recipient: string
    mails: number
    last_mail_at: string | null
    due_at: string | null
  }>(
    `select recipient, mails, last_mail_at, due_at from nightshift.incident_readers
      where incident = $1 order by recipient`,
    [incident],
  )
  return rows.map(({ recipient, mails, last_mail_at, due_at }) => ({
    recipient: recipientName(recipient),
    kind: isWebhook(recipient) ? 'post' : 'mail',
    mails,
    lastMailAt: dateOf(last_mail_at),
    nextMailAt: dateOf(due_at),
  }))
}

/**
 * Records that a mail to an address covered these incidents: nothing else is due, and open incidents repeat at
 * `next`. Kinds that can wait until the day do not repeat: each further night is mailed.
 */
export async function recordMailed(
  client: ClientBase,
  incidents: number[],
  { recipient, thread, at, next }: { recipient: string; thread: number; at: Date; next: Date },
): Promise<void> {
  await client.query(
    `update nightshift.incident_readers r
        set thread = $3, mails = mails + 1, last_mail_at = $4, reason = 'repeat',
            due_at = case when i.closed_at is null and i.acked_at is null and i.kind <> all($6) then $5::timestamptz end
       from nightshift.incidents i
      where i.id = r.incident and r.recipient = $2 and r.incident = any($1::bigint[])`,
    [incidents, recipient, thread, at, next, INCIDENT_KINDS.filter(canWait)],
  )
}

/** Nothing more is due to an address: it is a webhook that nightshift.yaml no longer names. */
export async function forgetReader(client: ClientBase, recipient: string): Promise<void> {
  await client.query(
    'update nightshift.incident_readers set due_at = null where recipient = $1 and due_at is not null',
    [recipient],
  )
}

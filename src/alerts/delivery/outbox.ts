import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { oneLine } from '../../format/one-line.ts'
import type { Database } from '../../ledger/connection/database.ts'
import type { Clock } from '../../ledger/connection/ledger-clock.ts'
import type { Connection } from '../../ledger/nights/slots.ts'
import { ownFile } from '../../program/own-files.ts'
import { type Message, type OutboxMail, toMessage } from '../letters/message.ts'
import type { Attachment } from '../letters/pictures.ts'
import { sendPost } from '../webhooks/send-post.ts'
import { recipientName } from '../webhooks/webhook-name.ts'
import type { AlertLog } from './alert-log.ts'
import type { AlertSettings } from './alert-settings.ts'
import { backoff, GIVE_UP_AFTER } from './backoff.ts'
import { type Transport, Undeliverable } from './transport.ts'

/** Lifetime of a claim in milliseconds: longer than the longest delivery. */
export const CLAIM = 2 * 60_000

export interface Drained {
  sent: number
  /** Deliveries that failed and will be retried. */
  failed: number
  gaveUp: number
}

export interface Post {
  database: Pick<Database, 'pool'>
  transport: Transport
  settings: AlertSettings
  log: AlertLog
  /** The ledger's clock: claims of several processes are compared. */
  clock: Clock
  /** The value of an environment variable that a webhook names. */
  secret: (name: string) => string | undefined
}

/**
 * Sends due mails and posts until none are left, the server cannot be reached, or `signal` aborts. Any number of processes may
 * drain at once: each mail is claimed before it is sent. The claim of a process that dies expires; the mail is sent
 * twice, under the same Message-ID, only if the server had already accepted it. Throws if the ledger cannot be
 * reached. Posts go out beside the mails, so that a webhook that does not answer delays none of them.
 */
export async function drain(post: Post, signal?: AbortSignal): Promise<Drained> {
  const drained: Drained = { sent: 0, failed: 0, gaveUp: 0 }
  const drainKind = async (kind: OutboxMail['kind']) => {
    while (signal?.aborted !== true) {
      const delivery = await deliverNext(post, { kind })
      if (delivery === undefined) break
      drained[delivery.outcome] += 1
      // Mails have one server. Posts to other addresses may still arrive.
      if (kind === 'mail' && delivery.error?.scope === 'server') break
    }
  }
  const settled = await Promise.allSettled([drainKind('mail'), drainKind('post')])
  post.transport.rest()
  for (const each of settled) if (each.status === 'rejected') throw each.reason
  return drained
}

export interface Delivery {
  outcome: keyof Drained
  /** Where it was delivered, as reported by the transport. */
  where: string | undefined
  error: Undeliverable | undefined
}

/** Delivers the next due mail or post, of one kind. Undefined: there was none. */
export async function deliverNext(
  post: Post,
  which: { kind?: OutboxMail['kind'] } = {},
): Promise<Delivery | undefined> {
  const claimed = await claimNext(post.database.pool, await post.clock(), which)
  return claimed === undefined ? undefined : await deliver(post, claimed)
}

/** Delivers what this process has claimed, and records how it ended. */
export async function deliver(post: Post, { mail, claim }: Claimed): Promise<Delivery> {
  let where: string
  try {
    where = await send(post, mail)
  } catch (error) {
    if (!(error instanceof Undeliverable)) throw error
    return { outcome: await recordFailed(post, mail, claim, error), where: undefined, error }
  }
  await recordSent(post, mail, claim, where)
  return { outcome: 'sent', where, error: undefined }
}

function send({ settings, transport, secret }: Post, mail: OutboxMail): Promise<string> {
  return mail.kind === 'post'
    ? sendPost(mail, { webhooks: settings.webhooks, secret })
    : build(mail, settings).then((message) => transport.send(message))
}

/** A mail that cannot be built must not block the mails after it. */
async function build(mail: OutboxMail, settings: AlertSettings): Promise<Message> {
  try {
    return await toMessage(mail, settings)
  } catch (cause) {
    throw new Undeliverable('mail', `the message cannot be built: ${String(cause)}`, { cause })
  }
}

let claimSql: string | undefined

/** A mail or post that no other process sends until its claim ends. */
export interface Claimed {
  mail: OutboxMail
  claim: string
}

/** Claims the next due mail or post, of one kind, or the given one. In the transaction that writes it, it is this process alone that sends it. */
export async function claimNext(
  connection: Connection,
  now: Date,
  { id, kind }: { id?: number; kind?: OutboxMail['kind'] },
): Promise<Claimed | undefined> {
  claimSql ??= readFileSync(ownFile('alerts/delivery/claim.sql'), 'utf8')
  const claim = randomUUID()
  const { rows } = await connection.query<OutboxRow>(claimSql, [
    now,
    new Date(now.getTime() + CLAIM),
    claim,
    id ?? null,
    kind ?? null,
  ])
  const [row] = rows
  if (row === undefined) return undefined
  const mail: OutboxMail = {
    id: row.id,
    kind: row.kind,
    thread: row.thread ?? undefined,
    recipient: row.recipient,
    subject: row.subject,
    messageId: row.message_id,
    inReplyTo: row.in_reply_to ?? undefined,
    references: row.refs,
    text: row.body_text,
    html: row.body_html,
    attachments: row.attachments,
    createdAt: new Date(row.created_at),
    tries: row.tries,
  }
  return { mail, claim }
}

/** A process that dies after the server accepted the mail and before this record causes a second mail. */
async function recordSent({ database, clock, log }: Post, mail: OutboxMail, claim: string, where: string) {
  for (let tries = 1; ; tries += 1) {
    try {
      const { rowCount } = await database.pool.query(
        `update nightshift.outbox
            set sent_at = $3, transport = $4, tries = tries + 1, last_error = null, claim = null, claimed_until = null
          where id = $1 and claim = $2`,
        [mail.id, claim, await clock(), where],
      )
      if (rowCount === 0)
        log.warn({ mail: mail.id }, `sending a ${mail.kind} took longer than its claim lasted`)
      return
    } catch (error) {
      if (tries === 3) throw error
      await sleep(500)
    }
  }
}

async function recordFailed(
  { database, clock, log }: Post,
  mail: OutboxMail,
  claim: string,
  error: Undeliverable,
): Promise<'failed' | 'gaveUp'> {
  const now = await clock()
  const tries = mail.tries + 1
  const gaveUp = now.getTime() - mail.createdAt.getTime() >= GIVE_UP_AFTER
  const due = new Date(now.getTime() + backoff(tries))
  await database.pool.query(
    `update nightshift.outbox
        set tries = $3, last_error = $4, due_at = $5, gave_up_at = $6, claim = null, claimed_until = null
      where id = $1 and claim = $2`,
    [mail.id, claim, tries, oneLine(error.message, 500), due, gaveUp ? now : null],
  )
  const facts = {
    mail: mail.id,
    to: recipientName(mail.recipient),
    subject: mail.subject,
    tries,
    error: error.message,
  }
  if (gaveUp) log.error(facts, `${mail.kind.toUpperCase()} LOST: not delivered within 24 hours, giving up`)
  else log.warn({ ...facts, next: due.toISOString() }, `${mail.kind} not delivered, will be retried`)
  if (error.scope === 'server')
    await postponeOthers(database, mail, now, new Date(due.getTime() - 1000), error)
  return gaveUp ? 'gaveUp' : 'failed'
}

/**
 * The other mails (or the other posts to this address) would fail too, so they are postponed. They become due before this mail, in case this mail breaks
 * the server.
 */
async function postponeOthers(
  database: Post['database'],
  { kind, recipient }: OutboxMail,
  now: Date,
  until: Date,
  error: Undeliverable,
): Promise<void> {
  await database.pool.query(
    `update nightshift.outbox set due_at = $2, last_error = $3
      where sent_at is null and gave_up_at is null and due_at < $2 and (claimed_until is null or claimed_until <= $1)
        and created_at > $4 and kind = $5 and (kind = 'mail' or recipient = $6)`,
    [now, until, oneLine(error.message, 500), new Date(now.getTime() - GIVE_UP_AFTER), kind, recipient],
  )
}

interface OutboxRow {
  id: number
  kind: OutboxMail['kind']
  thread: number | null
  recipient: string
  subject: string
  message_id: string
  in_reply_to: string | null
  refs: string[]
  body_text: string
  body_html: string
  attachments: Attachment[]
  created_at: string
  tries: number
}

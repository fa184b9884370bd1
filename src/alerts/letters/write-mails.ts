import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { dateOf } from '../../ledger/connection/value-types.ts'
import { type Alive, whoIsAlive } from '../../ledger/nights/alive.ts'
import type { AlertLog } from '../delivery/alert-log.ts'
import type { AlertSettings } from '../delivery/alert-settings.ts'
import { enqueue, type NewMail, newMessageId } from '../delivery/enqueue-mail.ts'
import { enqueuePost } from '../delivery/enqueue-post.ts'
import { recordEvent } from '../incidents/events.ts'
import { type Incident, type IncidentRow, toIncident } from '../incidents/incident-record.ts'
import { isMuted } from '../incidents/mutes.ts'
import { forgetReader, recordMailed } from '../incidents/readers.ts'
import { isWebhook, recipientName } from '../webhooks/webhook-name.ts'
import type { Letter } from './letter.ts'
import { type Pending, planMails, type Reason } from './mail-plan.ts'
import { type Attachment, drawPictures } from './pictures.ts'
import { threadSubject } from './subject-line.ts'
import type { Occasion, ThreadMail } from './thread.ts'
import { plainLetter, threadLetter } from './thread-mail.ts'

interface MailContext {
  client: ClientBase
  now: Date
  alive: Alive
  settings: AlertSettings
  log: AlertLog
}

/**
 * Writes due mails and posts into the outbox, one for each thread and address, and schedules the repeats. Any number of
 * processes may call it: one works at a time, and an incident that a running transaction is changing is left for the
 * next call. Costs one indexed query if nothing is due. Returns the number of mails.
 */
export async function writeMails(
  database: Pick<Database, 'pool'>,
  now: Date,
  settings: AlertSettings,
  log: AlertLog,
  { flush = false }: { flush?: boolean } = {},
): Promise<number> {
  if ((await dueRecipients(database.pool, now, flush)).length === 0) return 0
  const alive = await whoIsAlive(database, { staying: true })
  return transaction(database, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtext('nightshift.mails'), 0)`)
    const context = { client, now, alive, settings, log }
    let written = 0
    for (const recipient of await dueRecipients(client, now, flush)) {
      written += await writeTo(context, recipient, flush)
    }
    return written
  })
}

async function dueRecipients(
  connection: Pick<ClientBase, 'query'> | Database['pool'],
  now: Date,
  flush: boolean,
): Promise<string[]> {
  const { rows } = await connection.query<{ recipient: string }>(
    `select distinct r.recipient from nightshift.incident_readers r join nightshift.incidents i on i.id = r.incident
      where r.due_at is not null and (r.due_at <= $1 or ($2 and r.reason not in ('repeat', 'escalated')))
        and not ${isMuted('$1')}
      order by 1`,
    [now, flush],
  )
  return rows.map((row) => row.recipient)
}

async function writeTo(context: MailContext, recipient: string, flush: boolean): Promise<number> {
  if (isWebhook(recipient) && !context.settings.webhooks.some(({ url }) => url === recipient)) {
    await forgetReader(context.client, recipient)
    return 0
  }
  const pending = await lockPending(context, recipient)
  const plan = planMails(pending, context.now, context.settings, flush)
  let written = 0
  if (plan.fresh.length > 0) {
    const incidents = await load(context.client, 'i.id = any($1::bigint[])', [
      plan.fresh.map((it) => it.incident),
    ])
    const escalated = plan.fresh.filter((it) => it.reason === 'escalated').map((it) => it.incident)
    written += await openThread(context, recipient, incidents, escalated)
  }
  for (const { thread, reasons } of plan.threads) {
    written += await continueThread(context, recipient, thread, reasons)
  }
  return written
}

/**
 * What is pending for one address, each row locked by its incident; rows that another transaction is changing are
 * skipped.
 */
async function lockPending({ client, now }: MailContext, recipient: string): Promise<Pending[]> {
  const { rows } = await client.query<PendingRow>(
    `select r.incident, r.thread, r.reason, r.due_at, r.last_mail_at,
            exists (select from nightshift.incident_readers o join nightshift.incidents oi on oi.id = o.incident
                     where o.thread = r.thread and oi.closed_at is null) as thread_open
       from nightshift.incident_readers r join nightshift.incidents i on i.id = r.incident
      where r.recipient = $1 and r.due_at is not null
        and not ${isMuted('$2')}
      order by r.incident
      for update of i skip locked`,
    [recipient, now],
  )
  return rows.map((row) => ({
    incident: row.incident,
    thread: row.thread ?? undefined,
    reason: row.reason,
    dueAt: new Date(row.due_at),
    lastMailAt: dateOf(row.last_mail_at),
    threadOpen: row.thread_open,
  }))
}

async function openThread(
  context: MailContext,
  recipient: string,
  incidents: Incident[],
  escalated: number[],
): Promise<number> {
  const [first, ...rest] = incidents
  if (first === undefined) return 0
  const root = newMessageId(context.settings)
  const subject = threadSubject([first, ...rest])
  const { rows } = await context.client.query<{ id: number }>(
    `insert into nightshift.threads (recipient, subject, root, created_at) values ($1, $2, $3, $4) returning id`,
    [recipient, subject, root, context.now],
  )
  const thread = rows[0]?.id ?? 0
  const mail: ThreadMail = {
    ...context,
    occasion: 'opened',
    recipient,
    incidents: [first, ...rest],
    escalated,
  }
  await put(context, mail, { subject, messageId: root, thread: { id: thread, root: undefined } })
  await markMailed(context, recipient, thread, incidents, root)
  for (const incident of escalated)
    await recordEvent(context.client, {
      incident,
      at: context.now,
      event: 'escalated',
      detail: { recipient },
    })
  return 1
}

async function continueThread(
  context: MailContext,
  recipient: string,
  thread: number,
  reasons: Set<Reason>,
): Promise<number> {
  const within = 'i.id in (select incident from nightshift.incident_readers where thread = $1)'
  const locked = await context.client.query<{ id: number }>(
    `select i.id from nightshift.incidents i where ${within} order by i.id for update skip locked`,
    [thread],
  )
  const ours = new Set(locked.rows.map(({ id }) => id))
  const incidents = await load(context.client, within, [thread])
  const { rows } = await context.client.query<{ subject: string; root: string }>(
    'select subject, root from nightshift.threads where id = $1',
    [thread],
  )
  const [found] = rows
  const [first, ...rest] = incidents
  if (found === undefined || first === undefined) return 0
  const mail: ThreadMail = {
    ...context,
    occasion: occasionOf(incidents, reasons),
    recipient,
    incidents: [first, ...rest],
  }
  const { messageId } = await put(context, mail, {
    subject: found.subject,
    thread: { id: thread, root: found.root },
  })
  await markMailed(
    context,
    recipient,
    thread,
    incidents.filter(({ id }) => ours.has(id)),
    messageId,
  )
  return 1
}

/** Writes a mail to an address, or the same as a post to a webhook. */
async function put(
  { client, now, settings, log }: MailContext,
  mail: ThreadMail,
  head: Pick<NewMail, 'subject' | 'messageId' | 'thread'>,
): Promise<{ messageId: string }> {
  const { recipient, occasion: event, incidents } = mail
  const webhook = settings.webhooks.find(({ url }) => url === recipient)
  if (webhook === undefined) {
    return enqueue(client, now, { ...head, recipient, ...(await withPictures(mail, log)) }, settings)
  }
  // Nobody in particular reads a webhook: whoever pastes a command fills in a name.
  const letter = safely({ ...mail, recipient: 'WHO' }, log)
  return enqueuePost(client, now, webhook, { ...head, event, incidents, letter }, settings)
}

function occasionOf(incidents: Incident[], reasons: Set<Reason>): Occasion {
  if (incidents.every((incident) => incident.closedAt !== undefined)) return 'cleared'
  if (reasons.has('joined')) return 'joined'
  return reasons.has('cleared') ? 'partly cleared' : 'repeat'
}

/**
 * The mail covered the whole thread: nothing else is due in it, and its open incidents repeat from now. Applies only
 * to incidents that we hold locked: those that another transaction is adding are not in this mail.
 */
async function markMailed(
  { client, now, settings }: MailContext,
  recipient: string,
  thread: number,
  incidents: Incident[],
  messageId: string,
): Promise<void> {
  const ids = incidents.map(({ id }) => id)
  const next = new Date(now.getTime() + settings.repeat)
  await recordMailed(client, ids, { recipient, thread, at: now, next })
  for (const { id } of incidents) {
    await recordEvent(client, {
      incident: id,
      at: now,
      event: 'mailed',
      detail: { recipient: recipientName(recipient), messageId },
    })
  }
}

async function load(client: ClientBase, where: string, values: unknown[]): Promise<Incident[]> {
  const { rows } = await client.query<IncidentRow>(
    `select i.* from nightshift.incidents i where ${where} order by i.id`,
    values,
  )
  return rows.map(toIncident)
}

function safely(mail: ThreadMail, log: AlertLog): Letter {
  try {
    return threadLetter(mail)
  } catch (error) {
    log.error({ error: String(error) }, 'a post could not be built; its plain form is sent')
    return plainLetter(mail)
  }
}

async function withPictures(
  mail: ThreadMail,
  log: AlertLog,
): Promise<{ letter: Letter; attachments: Attachment[] }> {
  try {
    const { letter, attachments, failed } = await drawPictures(threadLetter(mail))
    if (failed.length > 0)
      log.error({ failed }, 'pictures of a mail could not be drawn; the mail describes them in text')
    return { letter, attachments }
  } catch (error) {
    log.error({ error: String(error) }, 'a mail could not be built; its plain form is sent')
    return { letter: plainLetter(mail), attachments: [] }
  }
}

interface PendingRow {
  incident: number
  thread: number | null
  reason: Reason
  due_at: string
  last_mail_at: string | null
  thread_open: boolean
}

import type { ClientBase } from 'pg'
import { FAILURE_CLASSES } from '../../failures/classes.ts'
import { canWait } from '../../failures/incident-kinds.ts'
import type { AlertSettings } from '../delivery/alert-settings.ts'
import { recipientsOf } from '../delivery/recipients.ts'
import { joinedDue } from '../letters/mail-plan.ts'
import { recordEvent } from './events.ts'
import type { FailureFacts } from './incident-facts.ts'
import {
  badNights,
  type Incident,
  type IncidentDetail,
  type IncidentRow,
  type Night,
  toIncident,
} from './incident-record.ts'
import { storable } from './storable-facts.ts'

export interface Reported {
  incident: number
  /** `opened`, `joined` an open one, or already `known`: reporting the same run twice changes nothing. */
  result: 'opened' | 'joined' | 'known'
  /** Who will be mailed. Empty if no address is valid; the caller should log that as an error. */
  recipients: string[]
}

/**
 * Opens the incident of (subject, class) or joins the open one, and makes its mail due. Called in the transaction
 * that ends the run (READ COMMITTED), so that the mail exists if and only if the failure does. It does not throw,
 * whatever the facts contain. A missed deadline joins any incident that its partition is already part of; a night that
 * fails after its deadline turns the incident of the deadline into one of its own kind: it stays one thread.
 */
export async function reportFailure(
  client: ClientBase,
  now: Date,
  reported: FailureFacts,
  settings: AlertSettings,
): Promise<Reported> {
  const facts = storable(reported)
  const { addresses, refused } = recipientsOf(facts)
  const told = [...addresses, ...settings.webhooks.map(({ url }) => url)]
  const night = nightOf(facts, now)
  for (;;) {
    const open = await lockIncidents(client, facts)
    const found = open.find((incident) => incident.kind === facts.failure.class) ?? deadlineOf(open, facts)
    if (found !== undefined) return join(client, now, settings, found, facts, night, { addresses, told })
    const late = lateOf(open, facts)
    if (late !== undefined) {
      if (!(await turn(client, now, late, facts, night))) continue
      await tell(client, now, settings, late, told, { atOnce: true })
      return { incident: late.id, result: 'joined', recipients: addresses }
    }
    const id = await insert(client, now, { facts, nights: [night] })
    if (id === undefined) continue
    const first = firstMail(facts, now, settings)
    await addReaders(client, id, told, { reason: 'opened', due: first })
    if (settings.escalate !== undefined && !canWait(facts.failure.class)) {
      const { to, after } = settings.escalate
      await addReaders(client, id, to, { reason: 'escalated', due: new Date(first.getTime() + after) })
    }
    await recordEvent(client, {
      incident: id,
      at: now,
      event: 'opened',
      run: night.run,
      partition: night.partition,
    })
    if (refused.length > 0) {
      await recordEvent(client, { incident: id, at: now, event: 'unreachable', detail: { refused } })
    }
    return { incident: id, result: 'opened', recipients: addresses }
  }
}

/** The open incidents of a subject, locked: every change of an incident or its mails holds this lock. */
export async function lockIncidents(
  client: ClientBase,
  of: { subject: string; subjectKind: 'model' | 'view' },
): Promise<Incident[]> {
  const { rows } = await client.query<IncidentRow>(
    `select * from nightshift.incidents
      where subject_kind = $1 and subject = $2 and closed_at is null order by id for update`,
    [of.subjectKind, of.subject],
  )
  return rows.map(toIncident)
}

async function join(
  client: ClientBase,
  now: Date,
  settings: AlertSettings,
  incident: Incident,
  facts: FailureFacts,
  night: Night,
  { addresses, told }: { addresses: string[]; told: string[] },
): Promise<Reported> {
  const before = incident.nights.find((known) => known.partition === night.partition)
  const foreign = facts.failure.class !== incident.kind
  const known =
    before !== undefined && before.recovered === null && (foreign ? before.late : before.run === night.run)
  if (known) return { incident: incident.id, result: 'known', recipients: [] }

  const joined: Night = foreign && before !== undefined ? { ...before, late: true } : night
  const detail: IncidentDetail = {
    // The first failure's cause is more useful than "the deadline has passed".
    facts: foreign
      ? { ...incident.facts, deadline: facts.deadline }
      : { ...facts, since: earliest(incident, facts) },
    nights: [...incident.nights.filter((it) => it !== before), joined],
  }
  await client.query('update nightshift.incidents set detail = $2 where id = $1', [
    incident.id,
    JSON.stringify(detail),
  ])
  await tell(client, now, settings, incident, told)
  await recordEvent(client, {
    incident: incident.id,
    at: now,
    event: foreign ? 'late' : 'joined',
    run: night.run,
    partition: night.partition,
  })
  return { incident: incident.id, result: 'joined', recipients: addresses }
}

/**
 * The incident of a missed deadline becomes one of what the night failed with. False if another transaction is opening one of
 * that kind: then that is to be joined.
 */
async function turn(
  client: ClientBase,
  now: Date,
  incident: Incident,
  facts: FailureFacts,
  night: Night,
): Promise<boolean> {
  const detail: IncidentDetail = {
    facts: { ...facts, since: earliest(incident, facts) },
    nights: incident.nights.map((it) => (it.partition === night.partition ? { ...night, late: true } : it)),
  }
  await client.query('savepoint turn')
  try {
    await client.query('update nightshift.incidents set kind = $2, detail = $3 where id = $1', [
      incident.id,
      facts.failure.class,
      JSON.stringify(detail),
    ])
  } catch (error) {
    await client.query('rollback to savepoint turn')
    if (error instanceof Error && 'code' in error && error.code === '23505') return false
    throw error
  }
  await client.query('release savepoint turn')
  await recordEvent(client, {
    incident: incident.id,
    at: now,
    event: 'failed',
    run: night.run,
    partition: night.partition,
  })
  return true
}

/**
 * An incident has news: those who know it are mailed again, others as of a new one. `atOnce`: whether or not they were mailed
 * a moment ago or have acknowledged it, since now it needs somebody.
 */
async function tell(
  client: ClientBase,
  now: Date,
  settings: AlertSettings,
  incident: Incident,
  told: string[],
  { atOnce = false }: { atOnce?: boolean } = {},
): Promise<void> {
  await addReaders(client, incident.id, told, {
    reason: 'opened',
    due: new Date(now.getTime() + settings.group),
  })
  await hasten(client, incident, (lastMailAt) =>
    atOnce
      ? new Date(now.getTime() + settings.group)
      : joinedDue({ now, lastMailAt, acked: incident.ackedAt !== undefined }, settings),
  )
}

/** Brings forward the next mail to addresses that were already mailed about the incident. */
async function hasten(
  client: ClientBase,
  incident: Incident,
  dueAfter: (lastMailAt: Date) => Date,
): Promise<void> {
  const { rows } = await client.query<{ recipient: string; last_mail_at: string }>(
    `select recipient, last_mail_at from nightshift.incident_readers
      where incident = $1 and thread is not null and last_mail_at is not null`,
    [incident.id],
  )
  for (const { recipient, last_mail_at: lastMailAt } of rows) {
    await client.query(
      `update nightshift.incident_readers set due_at = least(due_at, $3), reason = 'joined'
        where incident = $1 and recipient = $2`,
      [incident.id, recipient, dueAfter(new Date(lastMailAt))],
    )
  }
}

/** The open incident that a missed deadline joins: one that its partition is already part of. */
function deadlineOf(open: Incident[], facts: FailureFacts): Incident | undefined {
  if (facts.failure.class !== 'deadline' || facts.partition === undefined) return undefined
  return open.find((incident) =>
    incident.nights.some((night) => night.partition === facts.partition && night.recovered === null),
  )
}

/** The open incident of the deadline that this night alone missed, if the night failed. */
function lateOf(open: Incident[], { failure, partition }: FailureFacts): Incident | undefined {
  if (!FAILURE_CLASSES.some((known) => known === failure.class)) return undefined
  return open.find(
    ({ kind, nights }) =>
      kind === 'deadline' && badNights(nights).every((night) => night.partition === partition),
  )
}

async function insert(client: ClientBase, now: Date, detail: IncidentDetail): Promise<number | undefined> {
  const { subject, subjectKind, failure } = detail.facts
  const { rows } = await client.query<{ id: number }>(
    `insert into nightshift.incidents (subject_kind, subject, kind, opened_at, detail) values ($1, $2, $3, $4, $5)
     on conflict (subject_kind, subject, kind) where closed_at is null do nothing
     returning id`,
    [subjectKind, subject, failure.class, now, JSON.stringify(detail)],
  )
  return rows[0]?.id
}

/** Mail addresses and the URLs of webhooks. */
async function addReaders(
  client: ClientBase,
  incident: number,
  recipients: string[],
  { reason, due }: { reason: 'opened' | 'escalated'; due: Date },
): Promise<void> {
  await client.query(
    `insert into nightshift.incident_readers (incident, recipient, reason, due_at)
     select $1, unnest($2::text[]), $4, $3
     on conflict (incident, recipient) do nothing`,
    [incident, recipients, due, reason],
  )
}

/** Deadlines missed together are reported in one round, so their mail waits less for others than failures do. */
const LONGEST_AFTER_DEADLINE = 10_000

/** The first mail is sent after the grouping window, within 30 s of a deadline. */
function firstMail({ failure }: FailureFacts, now: Date, { group }: AlertSettings): Date {
  const wait = failure.class === 'deadline' ? Math.min(group, LONGEST_AFTER_DEADLINE) : group
  return new Date(now.getTime() + wait)
}

function nightOf(facts: FailureFacts, now: Date): Night {
  return {
    partition: facts.partition ?? null,
    run: facts.run ?? null,
    slot: facts.slot ?? null,
    state: facts.state,
    failedAt: now.toISOString(),
    late: facts.failure.class === 'deadline',
    recovered: null,
  }
}

function earliest(incident: Incident, facts: FailureFacts): string {
  return incident.facts.since < facts.since ? incident.facts.since : facts.since
}

import type { ClientBase, Pool } from 'pg'
import { dateOf } from '../../ledger/connection/value-types.ts'
import { recipientName } from '../webhooks/webhook-name.ts'
import { badNights, type Incident, type IncidentRow, toIncident } from './incident-record.ts'

export interface ListedIncident extends Incident {
  /** Labels of the partitions that are still bad, oldest first. */
  bad: string[]
  mails: number
  lastMailAt: Date | undefined
  nextMailAt: Date | undefined
  mutedUntil: Date | undefined
  recipients: string[]
}

export interface IncidentFilter {
  id?: number
  subject?: string
  /** Default: only open incidents. */
  closedToo?: boolean
  /** Default: all of them. */
  limit?: number
  offset?: number
}

/** Open incidents, then closed ones, each newest first. */
export async function listIncidents(
  connection: ClientBase | Pool,
  now: Date,
  filter: IncidentFilter = {},
): Promise<ListedIncident[]> {
  const { rows } = await connection.query<ListedRow>(
    `select i.*, r.mails, r.last_mail_at, r.next_mail_at, coalesce(r.recipients, '{}') as recipients,
            m.until as muted_until
       from (select id from nightshift.incidents
              where ($2::bigint is null or id = $2) and ($3::text is null or subject = $3)
                and ($4 or closed_at is null)
              order by closed_at is not null, id desc limit $5 offset $6) p
       join nightshift.incidents i on i.id = p.id
       left join lateral (
         select sum(mails)::int as mails, max(last_mail_at) as last_mail_at, min(due_at) as next_mail_at,
                array_agg(recipient order by recipient) as recipients
           from nightshift.incident_readers where incident = i.id) r on true
       left join lateral (
         select max(until) as until from nightshift.mutes
          where subject = i.subject and kind in ('all', i.kind) and until > $1) m on true
      order by i.closed_at is not null, i.id desc`,
    [
      now,
      filter.id ?? null,
      filter.subject ?? null,
      filter.closedToo ?? false,
      filter.limit ?? null,
      filter.offset ?? 0,
    ],
  )
  return rows.map((row) => {
    const incident = toIncident(row)
    return {
      ...incident,
      bad: badNights(incident.nights).flatMap((night) => night.partition ?? []),
      mails: row.mails ?? 0,
      lastMailAt: dateOf(row.last_mail_at),
      nextMailAt: dateOf(row.next_mail_at),
      mutedUntil: dateOf(row.muted_until),
      recipients: row.recipients.map(recipientName),
    }
  })
}

type ListedRow = IncidentRow & {
  mails: number | null
  last_mail_at: string | null
  next_mail_at: string | null
  recipients: string[]
  muted_until: string | null
}

import type { IncidentKind } from '../../failures/incident-kinds.ts'
import type { FailureFacts, RecoveryFacts } from './incident-facts.ts'

/** One night (partition) of an incident, or what is no night's: partition null. Times are ISO 8601. */
export interface Night {
  partition: string | null
  run: string | null
  slot: string | null
  state: FailureFacts['state']
  failedAt: string
  /** It missed its deadline while the incident was open for another reason. */
  late: boolean
  recovered: Recovered | null
}

export interface Recovered {
  at: string
  how: RecoveryFacts['how']
  /** The later night that showed it; that one's are `run` and `rows`. */
  seenOn?: string | undefined
  run: string | null
  rows: number | null
  by: string | null
}

/** What the `detail` column holds: the facts of the latest failure, and every night that is part of it. */
export interface IncidentDetail {
  facts: FailureFacts
  nights: Night[]
}

export interface Incident extends IncidentDetail {
  id: number
  subject: string
  subjectKind: 'model' | 'view'
  kind: IncidentKind
  openedAt: Date
  closedAt: Date | undefined
  ackedAt: Date | undefined
  ackedBy: string | undefined
}

/** What `pg` returns of nightshift.incidents. */
export interface IncidentRow {
  id: string
  subject: string
  subject_kind: 'model' | 'view'
  kind: IncidentKind
  opened_at: Date
  closed_at: Date | null
  acked_at: Date | null
  acked_by: string | null
  detail: IncidentDetail
}

export function toIncident(row: IncidentRow): Incident {
  return {
    id: Number(row.id),
    subject: row.subject,
    subjectKind: row.subject_kind,
    kind: row.kind,
    openedAt: row.opened_at,
    closedAt: row.closed_at ?? undefined,
    ackedAt: row.acked_at ?? undefined,
    ackedBy: row.acked_by ?? undefined,
    facts: row.detail.facts,
    nights: row.detail.nights,
  }
}

/** The nights that are still bad, oldest first. */
export function badNights(nights: Night[]): Night[] {
  return inOrder(nights.filter((night) => night.recovered === null))
}

/** The nights that an incident is of, oldest first: those that are still bad, or all of one that is closed. */
export function nightsOf({ nights, closedAt }: Pick<Incident, 'nights' | 'closedAt'>): Night[] {
  return closedAt === undefined ? badNights(nights) : inOrder(nights)
}

function inOrder(nights: Night[]): Night[] {
  return nights.toSorted((a, b) => (a.partition ?? '').localeCompare(b.partition ?? ''))
}

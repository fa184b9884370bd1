import type { IncidentKind } from '../../failures/incident-kinds.ts'
import { dateOf } from '../../ledger/connection/value-types.ts'
import type { FailureFacts, RecoveryFacts } from './incident-facts.ts'

/**
 * One night (partition) of an incident; partition is null if the problem does not concern one night. Times are ISO
 * 8601.
 */
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
  /** The later night that passed; `run` and `rows` are those of that night. */
  seenOn?: string | undefined
  figures?: string | undefined
  run: string | null
  rows: number | null
  by: string | null
  /** Of a night that was skipped: why. Absent in incidents that are older. */
  reason?: string | null
}

/** Content of the `detail` column: the facts of the latest failure, and all nights of the incident. */
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

/** A row of nightshift.incidents as returned by `pg`. */
export interface IncidentRow {
  id: number
  subject: string
  subject_kind: 'model' | 'view'
  kind: IncidentKind
  opened_at: string
  closed_at: string | null
  acked_at: string | null
  acked_by: string | null
  detail: IncidentDetail
}

export function toIncident(row: IncidentRow): Incident {
  return {
    id: row.id,
    subject: row.subject,
    subjectKind: row.subject_kind,
    kind: row.kind,
    openedAt: new Date(row.opened_at),
    closedAt: dateOf(row.closed_at),
    ackedAt: dateOf(row.acked_at),
    ackedBy: row.acked_by ?? undefined,
    facts: row.detail.facts,
    nights: row.detail.nights,
  }
}

/** The nights that are still bad, oldest first. */
export function badNights(nights: Night[]): Night[] {
  return inOrder(nights.filter((night) => night.recovered === null))
}

/** Who skips a night that `catch_up` gives up, or whose schedule is paused. */
export const BY_SCHEDULE = 'the schedule'

/** The nights that are no longer expected although they were never computed, oldest first. */
export function givenUp(nights: Night[]): Night[] {
  return inOrder(nights.filter((night) => night.recovered?.how === 'skipped'))
}

/** The nights of an incident, oldest first: those that are still bad, or all nights of a closed incident. */
export function nightsOf({ nights, closedAt }: Pick<Incident, 'nights' | 'closedAt'>): Night[] {
  return closedAt === undefined ? badNights(nights) : inOrder(nights)
}

function inOrder(nights: Night[]): Night[] {
  return nights.toSorted((a, b) => (a.partition ?? '').localeCompare(b.partition ?? ''))
}

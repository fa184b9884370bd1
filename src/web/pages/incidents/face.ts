import type { Incident } from '../../../alerts/incidents/incident-record.ts'
import type { Face } from '../../../ledger/nights/faces.ts'

/** The face of an incident: closed ones are good again. */
export function faceOfIncident({
  kind,
  facts,
  closedAt,
}: Pick<Incident, 'kind' | 'facts' | 'closedAt'>): Face {
  if (closedAt !== undefined) return 'published'
  if (kind === 'deadline' || kind === 'late-data') return 'late'
  return facts.state === 'held' ? 'held' : 'failed'
}

import type { Incident } from '../../../alerts/incidents/incident-record.ts'
import { kindOf } from '../../../failures/incident-kinds.ts'
import type { Face } from '../../../ledger/nights/faces.ts'

/** The status style of an incident; a closed one is shown as good. */
export function faceOfIncident({
  kind,
  facts,
  closedAt,
}: Pick<Incident, 'kind' | 'facts' | 'closedAt'>): Face {
  if (closedAt !== undefined) return 'published'
  const { face } = kindOf(kind)
  return face === 'failed' && facts.state === 'held' ? 'held' : face
}

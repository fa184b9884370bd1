import type { Incident } from '../../../alerts/incident.ts'
import type { Face } from '../../state.ts'

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

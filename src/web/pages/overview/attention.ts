import { html } from 'hono/html'
import type { ListedIncident } from '../../../alerts/incidents/list-incidents.ts'
import { headline, readersHave } from '../../../alerts/letters/phrases.ts'
import { age } from '../../../format/elapsed.ts'
import { type CalendarSlot, MOST_BAD } from '../../../ledger/nights/calendar-slots.ts'
import { type Face, faceOf } from '../../../ledger/nights/faces.ts'
import { nightHref } from '../../addresses.ts'
import { stateMark } from '../../state-mark.ts'
import { faceOfIncident } from '../incidents/face.ts'
import { MOST_CARDS } from './choose-models.ts'
import type { Overview } from './load.ts'

/** What is late or open: incidents first, then nights without an incident yet. */
export function attention({ incidents, bad, now, project, models }: Overview) {
  const most = models.length > MOST_CARDS ? 5 : 10
  const reported = new Set(
    incidents.flatMap((incident) => incident.bad.map((partition) => `${incident.subject} ${partition}`)),
  )
  const unreported = bad.filter(
    ({ kind, name, partition }) =>
      !reported.has(`${name} ${partition}`) &&
      !(kind === 'scores' && reported.has(`${project.models[name]?.view} ${partition}`)),
  )
  if (incidents.length === 0 && unreported.length === 0) {
    return html`<p class="card">${stateMark('published', 'Nothing is late, and no incident is open.')}</p>`
  }
  return html`<section class="card" aria-labelledby="open"><h2 id="open">Needs attention</h2><ul class="list">
${incidents.slice(0, most).map((incident) => open(incident, now))}
${incidents.length > most ? html`<li>and ${incidents.length - most} more: <a href="/incidents">all open incidents</a></li>` : ''}
${unreported.slice(0, most).map((slot) => late(slot, faceOf(slot, now), project.models))}
${unreported.length > most ? html`<li>and ${bad.length < MOST_BAD ? `${unreported.length - most} more` : `more than ${unreported.length - most} others`}: <a href="/runs?state=failed">all failed runs</a></li>` : ''}
</ul></section>`
}

function open(incident: ListedIncident, now: Date) {
  const { id, ackedBy, openedAt, facts } = incident
  const care = ackedBy === undefined ? 'not acknowledged yet' : `acknowledged by ${ackedBy}`
  return html`<li><a href="/incidents/${id}">${stateMark(faceOfIncident(incident), headline(incident))}</a>
<div class="small">${readersHave(facts, now)} <span class="quiet">Open for ${age(now.getTime() - openedAt.getTime())}; ${care}.</span></div></li>`
}

function late(slot: CalendarSlot, face: Face, models: Record<string, unknown>) {
  return html`<li><a href="${nightHref(slot, models)}">${stateMark(face, `${slot.name} ${slot.partition}`)}</a>
<div class="small">${slot.waits_for ?? slot.reason ?? ''}</div></li>`
}

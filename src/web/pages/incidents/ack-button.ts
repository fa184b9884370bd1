import { html } from 'hono/html'
import type { ListedIncident } from '../../../alerts/incidents/list-incidents.ts'
import type { Viewer } from '../../page-context.ts'
import { type Listing, queryOf } from './listing.ts'

/** Shown to an operator until the incident is acknowledged. Leads back to the list, if one is given. */
export function ackButton(
  { id, subject, kind, ackedBy, closedAt }: ListedIncident,
  viewer: Viewer | null,
  list?: Listing,
) {
  if (viewer?.role !== 'operator' || ackedBy !== undefined || closedAt !== undefined) return ''
  const back = list === undefined ? {} : { from: 'list', ...queryOf(list) }
  const fields = Object.entries({ csrf: viewer.csrf, ...back })
  return html`<form method="post" action="/incidents/${id}/ack">${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}<button${list === undefined ? '' : html` class="second"`}>Acknowledge${list === undefined ? '' : html`<span class="sr">: ${subject}, ${kind}, incident ${id}</span>`}</button></form>`
}

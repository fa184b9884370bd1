import type { Hono } from 'hono'
import { html } from 'hono/html'
import { type ListedIncident, listIncidents } from '../../alerts/list-incidents.ts'
import { headline } from '../../alerts/phrases.ts'
import type { Project } from '../../project/project.ts'
import { withQuery } from '../addresses.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import type { Place } from '../place.ts'
import { stateMark } from '../state.ts'
import { faceOfIncident } from './incidents/face.ts'
import { incidentBody, loadIncident } from './incidents/incident.ts'

const INCIDENTS = 200

/** `/incidents?state=open&subject=NAME`: what is open, and what was; `/incidents/ID`: one of them. */
export function mountIncidents(app: Hono, place: Place): void {
  app.get('/incidents', async (context) => {
    const project = place.project()
    const now = place.clock?.() ?? new Date()
    const subject = context.req.query('subject') || undefined
    const openOnly = context.req.query('state') === 'open'
    const found = await listIncidents(place.database.pool, now, {
      closedToo: !openOnly,
      limit: INCIDENTS,
      ...(subject === undefined ? {} : { subject }),
    })
    const open = found.filter(({ closedAt }) => closedAt === undefined)
    const closed = found.filter(({ closedAt }) => closedAt !== undefined)
    return page(
      context,
      subject === undefined ? 'Incidents' : `Incidents of ${subject}`,
      html`<section class="card" aria-labelledby="open"><h2 id="open">Open</h2>${
        open.length === 0
          ? html`<p>${stateMark('published', 'Nothing is open.')}</p>`
          : table(open, 'Open incidents', project)
      }</section>
${openOnly ? '' : html`<section class="card" aria-labelledby="closed"><h2 id="closed">Closed</h2>${closed.length === 0 ? html`<p class="quiet">None yet.</p>` : table(closed, 'Closed incidents', project)}</section>`}`,
      {
        section: 'Incidents',
        beside: html`<div class="small"><a href="${withQuery('/incidents', { subject, state: openOnly ? undefined : 'open' })}">${openOnly ? 'Closed ones too' : 'Open ones alone'}</a>${subject === undefined ? '' : html` · <a href="/incidents">of everything</a>`}</div>`,
        foot: html`Times are those of ${project.timezone}. In the terminal: <code>npx nightshift incidents --all</code>`,
      },
    )
  })

  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const project = place.project()
    const now = place.clock?.() ?? new Date()
    const story = /^\d{1,15}$/.test(id) ? await loadIncident(place, Number(id), now) : undefined
    if (story === undefined) {
      return missing(
        context,
        'No such incident',
        html`<p>The ledger has no incident ${id}. <a href="/incidents">All incidents</a></p>`,
      )
    }
    const { incident } = story
    return page(
      context,
      `${incident.subject}: ${incident.kind}`,
      incidentBody(story, project, context.get('viewer'), now),
      {
        section: 'Incidents',
        crumbs: [['/incidents', 'Incidents']],
        foot: html`Incident ${incident.id}. Times are those of ${project.timezone}.`,
      },
    )
  })
}

function table(incidents: ListedIncident[], caption: string, { timezone }: Project) {
  return html`<table class="stack"><caption class="sr">${caption}</caption><thead><tr><th scope="col">Incident</th><th scope="col">What</th><th scope="col">Opened</th><th scope="col">Who is on it</th><th scope="col" class="number">Mails</th></tr></thead>
<tbody>${incidents.map(
    (
      incident,
    ) => html`<tr id="${incident.id}"><th scope="row"><a href="/incidents/${incident.id}">${stateMark(faceOfIncident(incident), `${incident.subject}: ${incident.kind}`)}</a></th>
<td>${headline(incident)}</td>
<td data-label="Opened">${moment(incident.openedAt, timezone)}${incident.closedAt === undefined ? '' : html`<div class="small quiet">closed ${moment(incident.closedAt, timezone)}</div>`}</td>
<td data-label="On it">${incident.ackedBy ?? (incident.closedAt === undefined ? 'nobody' : '')}</td><td class="number" data-label="Mails">${incident.mails}</td></tr>`,
  )}</tbody></table>`
}

import type { Hono } from 'hono'
import { html } from 'hono/html'
import { type ListedIncident, listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { headline } from '../../alerts/letters/phrases.ts'
import { kindOf } from '../../failures/incident-kinds.ts'
import type { Project } from '../../project/project.ts'
import { unreadable } from '../filters.ts'
import type { Html } from '../layout.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import { nowAt, type PageContext, type Viewer } from '../page-context.ts'
import { pager } from '../pager.ts'
import { stateMark } from '../state-mark.ts'
import { column, labelled, number, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
import { ackButton } from './incidents/ack-button.ts'
import { faceOfIncident } from './incidents/face.ts'
import { incidentBody, loadIncident } from './incidents/incident.ts'
import {
  filterOf,
  type Listing,
  listingHref,
  listingProblems,
  pageOf,
  readListing,
} from './incidents/listing.ts'

/** `/incidents?state=open&subject=NAME&page=`: open incidents, then closed ones; `/incidents/ID`: one incident. */
export function mountIncidents(app: Hono, pageContext: PageContext): void {
  app.get('/incidents', async (context) => {
    const project = pageContext.project()
    const now = await nowAt(pageContext)
    const listing = readListing(context.req.query())
    const { subject, openOnly } = listing
    const problems = listingProblems(context.req.query())
    if (problems.length > 0) {
      const all = { href: '/incidents', text: 'All incidents' }
      return page(context, 'Incidents', unreadable(problems, all), { section: 'Incidents', status: 400 })
    }
    const { shown, more } = pageOf(await listIncidents(pageContext.database.pool, now, filterOf(listing)))
    return page(
      context,
      subject === undefined ? 'Incidents' : `Incidents of ${subject}`,
      html`${shown.length === 0 && listing.page > 1 ? beyond(listing) : sections(shown, more, { listing, project, viewer: context.get('viewer') })}
${pager(listing.page, more, (number) => listingHref({ ...listing, page: number ?? 1 }), ['Previous', 'Next'])}`,
      {
        section: 'Incidents',
        aside: html`<div class="small"><a href="${listingHref({ subject, openOnly: !openOnly })}">${openOnly ? 'Include closed incidents' : 'Open incidents only'}</a>${subject === undefined ? '' : html` · <a href="${listingHref({ openOnly })}">All subjects</a>`}</div>`,
        foot: html`Times are in ${project.timezone}.${terminalFor(context.get('viewer'), project)(' In the terminal: ', 'incidents --all')}`,
      },
    )
  })

  app.get('/incidents/:id', async (context) => {
    const id = context.req.param('id')
    const project = pageContext.project()
    const now = await nowAt(pageContext)
    const story = /^\d{1,15}$/.test(id) ? await loadIncident(pageContext, Number(id), now) : undefined
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
      `${incident.subject}: ${kindOf(incident.kind).name}`,
      incidentBody(story, project, context.get('viewer'), now),
      {
        section: 'Incidents',
        crumbs: [['/incidents', 'Incidents']],
        foot: html`Incident ${incident.id}. Times are in ${project.timezone}.`,
      },
    )
  })
}

/** The context of a list. */
interface Frame {
  listing: Listing
  project: Project
  viewer: Viewer | null
}

/** Open incidents come first. If there are none, only the first page says so. */
function sections(shown: ListedIncident[], more: boolean, frame: Frame) {
  const { openOnly, page } = frame.listing
  const open = shown.filter(({ closedAt }) => closedAt === undefined)
  const closed = shown.filter(({ closedAt }) => closedAt !== undefined)
  const nothing = page === 1 ? html`<p>${stateMark('published', 'No incident is open.')}</p>` : undefined
  const none = more ? undefined : html`<p class="quiet">None yet.</p>`
  return html`${section('open', 'Open', open.length === 0 ? nothing : incidentsTable(open, 'Open incidents', frame))}
${openOnly ? '' : section('closed', 'Closed', closed.length === 0 ? none : incidentsTable(closed, 'Closed incidents', frame))}`
}

function section(id: string, title: string, body: Html | undefined) {
  return body === undefined
    ? ''
    : html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`
}

/** Incidents are never deleted, but a mailed link may point to a page of incidents that are closed now. */
function beyond({ page, ...listing }: Listing) {
  return html`<section class="card"><p>Page ${page} is empty. <a href="${listingHref(listing)}">The first page</a></p></section>`
}

function incidentsTable(incidents: ListedIncident[], caption: string, { listing, project, viewer }: Frame) {
  const { timezone } = project
  return table(
    caption,
    incidents,
    [
      column(
        'Incident',
        (incident) =>
          html`<a href="/incidents/${incident.id}">${stateMark(faceOfIncident(incident), `${incident.subject}: ${kindOf(incident.kind).name}`)}</a>`,
      ),
      column('What', headline),
      labelled(
        'Opened',
        ({ openedAt, closedAt }) =>
          html`${moment(openedAt, timezone)}${closedAt === undefined ? '' : html`<div class="small quiet">closed ${moment(closedAt, timezone)}</div>`}`,
      ),
      labelled(
        'Acknowledged by',
        (incident) =>
          incident.ackedBy ??
          (incident.closedAt === undefined ? html`no one${ackButton(incident, viewer, listing)}` : ''),
      ),
      number('Mails', ({ mails }) => mails),
    ],
    { id: ({ id }) => String(id) },
  )
}

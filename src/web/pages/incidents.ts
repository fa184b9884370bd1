import type { Hono } from 'hono'
import { html } from 'hono/html'
import { listIncidents } from '../../alerts/list-incidents.ts'
import { localTime } from '../../project/local-time.ts'
import { layout } from '../layout.ts'
import type { Place } from '../place.ts'

const INCIDENTS = 200

/** `/incidents`: what is open, and what was. */
export function mountIncidents(app: Hono, { database, project }: Place): void {
  app.get('/incidents', async (context) => {
    const incidents = await listIncidents(database.pool, new Date(), { closedToo: true, limit: INCIDENTS })
    const rows = incidents.map(
      (
        incident,
      ) => html`<tr id="${incident.id}"><td>${incident.id}</td><td>${incident.subject}</td><td>${incident.kind}</td>
<td class="${incident.closedAt === undefined ? 'failed' : 'published'}">${incident.closedAt === undefined ? 'open' : 'closed'}</td>
<td>${incident.bad.join(', ')}</td><td>${localTime(incident.openedAt.toISOString(), project().timezone)}</td><td>${incident.facts.failure.message}</td></tr>`,
    )
    const head = html`<tr><th>incident</th><th>about</th><th>kind</th><th></th><th>nights</th><th>opened</th><th></th></tr>`
    return context.html(
      layout(
        'Incidents',
        rows.length === 0
          ? html`<p>None yet.</p>`
          : html`<div class="scroll"><table>${head}${rows}</table></div>`,
      ),
    )
  })

  app.get('/incidents/:id', (context) =>
    context.redirect(`/incidents#${encodeURIComponent(context.req.param('id'))}`),
  )
}

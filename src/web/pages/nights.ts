import type { Hono } from 'hono'
import { html } from 'hono/html'
import { listSlots } from '../../jobs/slots.ts'
import { localTime } from '../../project/local-time.ts'
import { layout } from '../layout.ts'
import type { Place } from '../place.ts'

const NIGHTS = 200

/** `/`: what is expected, and what stands. */
export function mountNights(app: Hono, { database, project }: Place): void {
  app.get('/', async (context) => {
    const slots = await listSlots(database.pool, { limit: NIGHTS })
    const rows = slots.map(
      (slot) => html`<tr><td>${slot.partition}</td><td>${slot.kind}</td><td>${slot.name}</td>
<td class="${slot.state}">${slot.state}${slot.late ? ', late' : ''}</td>
<td>${slot.run === null ? '' : html`<a href="/runs/${slot.run}">${slot.run}</a>`}</td>
<td>${localTime(slot.due, project().timezone)}</td><td>${slot.waits_for ?? slot.reason ?? ''}</td></tr>`,
    )
    const head = html`<tr><th>as of</th><th>kind</th><th>name</th><th>state</th><th>run</th><th>due</th><th></th></tr>`
    return context.html(
      layout(
        `${project().name}: nights`,
        slots.length === 0
          ? html`<p>No slots yet: a scheduler expects them, <code>nightshift run</code> makes one.</p>`
          : html`<div class="scroll"><table>${head}${rows}</table></div>`,
      ),
    )
  })
}

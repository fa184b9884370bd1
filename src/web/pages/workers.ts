import type { Hono } from 'hono'
import { html } from 'hono/html'
import { livingWorkers } from '../../ledger/workers/living-workers.ts'
import { workerFacts } from '../../workers/worker-facts.ts'
import { page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { labelled, number, table } from '../table.ts'

/** `/workers`: the processes that take jobs, as their heartbeats tell. */
export function mountWorkers(app: Hono, { database }: PageContext): void {
  app.get('/workers', async (context) => {
    const workers = (await livingWorkers(database.pool)).map(workerFacts)
    const listed =
      workers.length === 0
        ? html`<p>No worker was seen in the last 15 seconds.</p>`
        : table('Workers', workers, [
            { heading: 'Worker', cell: ({ id }) => html`<code>${id}</code>` },
            labelled('Host', ({ host }) => host),
            labelled('Version', ({ version }) => version),
            number('Places', ({ places }) => places),
            number('Memory', ({ memory }) => memory),
            labelled('Clock', ({ clock }) => clock),
            labelled('Takes', ({ takes }) => takes),
            labelled('Works on', ({ worksOn }) => worksOn),
          ])
    return page(context, 'Workers', html`<div class="card">${listed}</div>`, {
      section: 'Queue',
      crumbs: [['/queues', 'Queue']],
      foot: html`Places: how many tasks run at once. Memory: what they may use together. Clock: beside the ledger's, which decides.`,
    })
  })
}

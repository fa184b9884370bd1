import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Hono } from 'hono'
import { QUEUE_NAMES, type Queues } from '../jobs/queues.ts'

const PATH = '/queues'

/** Mounts the queue board, read-only: what is to be run is decided in the ledger, not in the queue. */
export function mountBoard(app: Hono, queues: Queues): void {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(PATH)
  createBullBoard({
    queues: QUEUE_NAMES.map(
      (name) =>
        new BullMQAdapter(queues.queue(name), {
          readOnlyMode: true,
          // Back to the run: the job's id is the run's with its attempt.
          externalJobUrl: ({ id }) => {
            const run = String(id ?? '').replace(/-a\d+$/, '')
            return { displayText: `run ${run}`, href: `/runs/${run}` }
          },
        }),
    ),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Nightshift queues' } },
  })
  app.get(`${PATH}/`, (context) => context.redirect(PATH))
  app.route(PATH, adapter.registerPlugin())
}

import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'
import { QUEUE_NAMES, type Queues } from '../jobs/queue/queues.ts'
import { refuse } from './security/guard.ts'

const PATH = '/queues'
/** The board loads fonts from another server, which our headers forbid: without the link it uses local fonts. */
const FOREIGN_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/

/**
 * Mounts the queue board: viewers may read, operators may act. The ledger decides what runs, whatever is done to the
 * queue: a removed job is enqueued again, a manually added one is refused.
 */
export function mountBoard(app: Hono, queues: Queues): void {
  const boards = { viewer: follow(queues, { readOnly: true }), operator: follow(queues, { readOnly: false }) }
  app.get(`${PATH}/`, (context) => context.redirect(PATH))
  for (const path of [PATH, `${PATH}/*`]) {
    app.all(path, async (context) => {
      const role = context.get('viewer')?.role ?? 'viewer'
      const { method } = context.req
      if (role !== 'operator' && method !== 'GET' && method !== 'HEAD') {
        return refuse(context, 'Operators only', 'Viewers can read the queues but not change them.')
      }
      const answer = await boards[role]().fetch(context.req.raw, context.env)
      if (answer.headers.get('content-type')?.startsWith('text/html') !== true) return answer
      return context.html((await answer.text()).replace(FOREIGN_FONTS, ''))
    })
  }
}

/** The board keeps references to its queues: it is rebuilt when one of them was replaced. */
function follow(queues: Queues, options: { readOnly: boolean }): () => Hono {
  let of: Queue[] = []
  let built: Hono | undefined
  return () => {
    const now = QUEUE_NAMES.map((name) => queues.queue(name))
    if (built === undefined || now.some((queue, index) => queue !== of[index])) built = board(now, options)
    of = now
    return built
  }
}

function board(queues: Queue[], { readOnly }: { readOnly: boolean }): Hono {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(PATH)
  createBullBoard({
    queues: queues.map(
      (queue) =>
        new BullMQAdapter(queue, {
          readOnlyMode: readOnly,
          // Links to the run: the job's id is the run's id with its attempt.
          externalJobUrl: ({ id }) => {
            const run = String(id ?? '').replace(/-a\d+(?:-s\d+|-join)?$/, '')
            return { displayText: `run ${run}`, href: `/runs/${run}` }
          },
        }),
    ),
    serverAdapter: adapter,
    options: {
      uiConfig: { boardTitle: 'Nightshift queues', miscLinks: [{ text: 'Workers', url: '/workers' }] },
    },
  })
  return new Hono().route(PATH, adapter.registerPlugin())
}

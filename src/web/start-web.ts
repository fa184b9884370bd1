import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { away } from '../ledger/connection/away.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { OnPublished } from '../workers/attempt/publication.ts'
import { mountBoard } from './board.ts'
import { mountHealth } from './health/mount-health.ts'
import { mountMetrics } from './metrics/mount-metrics.ts'
import { mountActions } from './mount-actions.ts'
import { mountPages } from './mount-pages.ts'
import { page } from './page.ts'
import type { Place } from './page-context.ts'
import { guard } from './security/door.ts'
import { legible } from './security/legible.ts'
import { mayListen } from './security/listen.ts'
import type { Networks } from './security/network.ts'
import { isLoopback } from './security/origin.ts'
import { mountSignIn } from './security/signin.ts'
import type { Users } from './security/users.ts'

export interface WebServer {
  url: string
  close(): Promise<void>
}

export interface WebOptions {
  /** 0 takes a free one. */
  port: number
  /** Default: 127.0.0.1. */
  host?: string
  /** Who may sign in; default: nobody, and whoever sits at this machine is an operator. */
  users?: Users
  /** What Prometheus brings; default: only this machine may ask for metrics. */
  metricsToken?: string | undefined
  /** Proxies whose `X-Forwarded-*` count; default: none. */
  isProxy?: Networks
  /** Told when a release publishes; default: whoever was told of its failure is told. */
  onPublished?: OnPublished
  log?: Pick<Logger, 'error'>
}

/**
 * Serves the pages, by default on the loopback interface.
 * Throws a ConfigurationError where the port is taken, or where others could come in and there are no users.
 */
export async function startWeb(
  place: Place,
  {
    port,
    host = '127.0.0.1',
    users = () => new Map(),
    isProxy = () => false,
    metricsToken,
    onPublished,
    log,
  }: WebOptions,
): Promise<WebServer> {
  mayListen(host, users)
  const app = new Hono()
  const door = { pool: place.database.pool, users, loopback: isLoopback(host), isProxy }
  guard(app, door)
  app.use(legible)
  mountHealth(app, place)
  mountMetrics(app, place, { token: metricsToken })
  mountSignIn(app, door)
  mountActions(app, place, onPublished)
  mountPages(app, place)
  mountBoard(app, place.queues)
  app.notFound((context) =>
    page(context, 'No such page', html`<p>Nothing is at this address.</p>`, { status: 404 }),
  )
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse()
    log?.error({ error: error.message, path: context.req.path }, 'a page failed')
    const gone = away(error)
    if (gone !== undefined) return unreachable(context, gone)
    return page(context, 'This page failed', html`<p>The log of the web process says why.</p>`, {
      status: 500,
    })
  })
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: host }, (address) => {
      server.off('error', onError)
      const name = host.includes(':') ? `[${host}]` : host
      resolve({
        url: `http://${name}:${address.port}`,
        close: () =>
          new Promise<void>((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      })
    })
    const onError = (error: NodeJS.ErrnoException) => {
      reject(refusal(error, port, host) ?? error)
    }
    server.on('error', onError)
  })
}

/** Every page is made from the ledger: without it there is one thing to say. */
function unreachable(context: Context, gone: string) {
  return page(
    context,
    'The database cannot be reached',
    html`<div class="card"><p>The database ${gone}, so that no page can be shown. What is published stays where it is, and readers have it.</p><p>Load this page again in a moment; <a href="/readyz">/readyz</a> says what else does not answer, <code>npx nightshift doctor</code> on the server what can be done.</p></div>`,
    { status: 503 },
  )
}

function refusal(error: NodeJS.ErrnoException, port: number, host: string): ConfigurationError | undefined {
  const said = { cause: error }
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigurationError(`port ${port} is taken: name another with --port`, said)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigurationError(`--host: expected an address of this machine, got: ${host}`, said)
    case 'EACCES':
      return new ConfigurationError(`port ${port} is not ours to take: name another with --port`, said)
    default:
      return undefined
  }
}

import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { unavailable } from '../ledger/connection/unavailable.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { isLoopback } from '../project/loopback.ts'
import type { Project } from '../project/project.ts'
import type { OnPublished } from '../workers/attempt/publication.ts'
import { mountBanners } from './banners.ts'
import { mountBoard } from './board.ts'
import { mountActions } from './buttons/mount-actions.ts'
import { mountBackfillChanges } from './buttons/mount-backfill-changes.ts'
import { mountOperations } from './buttons/mount-operations.ts'
import { mountHealth } from './health/mount-health.ts'
import { mountMetrics } from './metrics/mount-metrics.ts'
import { mountPages } from './mount-pages.ts'
import { page } from './page.ts'
import type { PageContext } from './page-context.ts'
import { guard } from './security/guard.ts'
import { mayListen } from './security/listen.ts'
import type { Networks } from './security/network.ts'
import { rejectMalformed } from './security/reject-malformed.ts'
import { mountSignIn } from './security/signin.ts'
import type { Users } from './security/users.ts'
import { typed } from './terminal.ts'

export interface WebServer {
  url: string
  close(): Promise<void>
}

export interface WebOptions {
  /** 0 picks a free port. */
  port: number
  /** Default: 127.0.0.1. */
  host?: string
  /** Who may sign in; default: no users, and every local user is an operator. */
  users?: Users
  /** The bearer token of Prometheus; default: only this machine may read metrics. */
  metricsToken?: string | undefined
  /** Proxies whose `X-Forwarded-*` headers are trusted; default: none. */
  isProxy?: Networks
  /** Called when a release publishes; default: notifies the people who were notified of the failure. */
  onPublished?: OnPublished
  log?: Pick<Logger, 'error'>
}

/**
 * Serves the pages, by default on the loopback interface.
 * Throws a ConfigurationError if the port is taken, or if a non-loopback address has no users.
 */
export async function startWeb(
  pageContext: PageContext,
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
  const access = { pool: pageContext.database.pool, users, loopback: isLoopback(host), isProxy }
  guard(app, access)
  app.use(rejectMalformed)
  mountHealth(app, pageContext)
  mountMetrics(app, pageContext, { token: metricsToken })
  mountSignIn(app, access)
  mountBanners(app, pageContext)
  mountActions(app, pageContext, onPublished)
  mountOperations(app, pageContext)
  mountBackfillChanges(app, pageContext)
  mountPages(app, pageContext)
  mountBoard(app, pageContext.queues)
  app.notFound((context) =>
    page(context, 'No such page', html`<p>There is no page at this address.</p>`, { status: 404 }),
  )
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse()
    log?.error({ error: error.message, path: context.req.path }, 'a page failed')
    const gone = unavailable(error)
    if (gone !== undefined) return unreachable(context, gone, pageContext.project())
    return page(context, 'This page failed', html`<p>The log of the web process has the error.</p>`, {
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

/** Every page needs the ledger: without it, all show this page. */
function unreachable(context: Context, gone: string, project: Project) {
  return page(
    context,
    'The database cannot be reached',
    html`<div class="card"><p>The database ${gone}, so no page can be shown. Published partitions are not affected and remain readable.</p><p>Reload this page in a moment. <a href="/readyz">/readyz</a> shows which other parts do not respond; <code>${typed(project, 'doctor')}</code> on the server shows more.</p></div>`,
    { status: 503 },
  )
}

function refusal(error: NodeJS.ErrnoException, port: number, host: string): ConfigurationError | undefined {
  const cause = { cause: error }
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigurationError(`port ${port} is taken: choose another with --port`, cause)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigurationError(`--host: expected an address of this machine, got: ${host}`, cause)
    case 'EACCES':
      return new ConfigurationError(
        `port ${port} requires more privileges: choose another with --port`,
        cause,
      )
    default:
      return undefined
  }
}

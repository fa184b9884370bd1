import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { ConfigurationError } from '../project/problem.ts'
import { mountBoard } from './board.ts'
import { mountPages } from './pages.ts'
import type { Place } from './place.ts'
import { localViewer } from './security/local.ts'

export interface WebServer {
  url: string
  close(): Promise<void>
}

/**
 * Serves the pages on the loopback interface; port 0 takes a free one.
 * Throws a ConfigurationError where the port is taken.
 */
export async function startWeb(place: Place, { port }: { port: number }): Promise<WebServer> {
  const app = new Hono()
  const local = localViewer()
  app.use(async (context, next) => {
    context.set('viewer', local)
    await next()
  })
  mountPages(app, place)
  mountBoard(app, place.queues)
  const hostname = '127.0.0.1'
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname }, (address) => {
      server.off('error', onError)
      resolve({
        url: `http://${hostname}:${address.port}`,
        close: () =>
          new Promise<void>((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      })
    })
    const onError = (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new ConfigurationError(`port ${port} is taken: name another with --port`, { cause: error })
          : error,
      )
    }
    server.on('error', onError)
  })
}

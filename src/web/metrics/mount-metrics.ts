import { createHash, timingSafeEqual } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import { isLoopback } from '../../project/loopback.ts'
import type { PageContext } from '../page-context.ts'
import { collect } from './collect.ts'

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip']

/**
 * `/metrics` for Prometheus, which cannot sign in: it sends `token` as its bearer token. Without a token only this
 * machine may read them, and no proxy on it, because a proxy forwards requests of others.
 */
export function mountMetrics(
  app: Hono,
  pageContext: PageContext,
  { token }: { token: string | undefined },
): void {
  app.get('/metrics', async (context) => {
    if (token !== undefined && !hasToken(context, token)) {
      context.header('www-authenticate', 'Bearer')
      return context.text('expected the bearer token of NIGHTSHIFT_METRICS_TOKEN\n', 401)
    }
    if (token === undefined && !isLocal(context)) {
      return context.text('set NIGHTSHIFT_METRICS_TOKEN, and send it as the bearer token\n', 403)
    }
    const { text, contentType } = await collect(pageContext)
    return context.body(text, 200, { 'content-type': contentType })
  })
}

function hasToken(context: Context, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return given !== undefined && timingSafeEqual(hash(given), hash(token))
}

function isLocal(context: Context): boolean {
  const address = getConnInfo(context).remote.address
  const proxied = FORWARDED.some((name) => context.req.header(name) !== undefined)
  return address !== undefined && isLoopback(address) && !proxied
}

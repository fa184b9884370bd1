import { createHash, timingSafeEqual } from 'node:crypto'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import type { Place } from '../page-context.ts'
import { isLoopback } from '../security/origin.ts'
import { collect } from './collect.ts'

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip']

/**
 * `/metrics` for Prometheus, which cannot sign in: it brings `token` as its bearer token. Without a token only this
 * machine may ask, and no proxy on it, since that would ask for anybody.
 */
export function mountMetrics(app: Hono, place: Place, { token }: { token: string | undefined }): void {
  app.get('/metrics', async (context) => {
    if (token !== undefined && !brings(context, token)) {
      context.header('www-authenticate', 'Bearer')
      return context.text('expected the bearer token of NIGHTSHIFT_METRICS_TOKEN\n', 401)
    }
    if (token === undefined && !isFromHere(context)) {
      return context.text('set NIGHTSHIFT_METRICS_TOKEN, and bring it as the bearer token\n', 403)
    }
    const { text, contentType } = await collect(place)
    return context.body(text, 200, { 'content-type': contentType })
  })
}

function brings(context: Context, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return given !== undefined && timingSafeEqual(hash(given), hash(token))
}

function isFromHere(context: Context): boolean {
  const address = getConnInfo(context).remote.address
  const proxied = FORWARDED.some((name) => context.req.header(name) !== undefined)
  return address !== undefined && isLoopback(address) && !proxied
}

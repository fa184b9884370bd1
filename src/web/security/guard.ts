import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { html } from 'hono/html'
import type { Pool } from 'pg'
import { page } from '../page.ts'
import type { Viewer } from '../page-context.ts'
import { clientOf } from './client.ts'
import { readToken } from './cookie.ts'
import { headers } from './headers.ts'
import type { Networks } from './network.ts'
import { namesLoopback, originOf } from './origin.ts'
import { findSession } from './sessions.ts'
import type { Users } from './users.ts'

export interface Access {
  pool: Pool
  users: Users
  /** Whether only this machine can reach the server: only then are users optional. */
  loopback: boolean
  /** Whether an address is a declared proxy, whose `X-Forwarded-*` headers are trusted. */
  isProxy: Networks
}

/** Paths without sign-in: the ones that programs read, and the parts of the sign-in page. */
const OPEN = /^\/(?:healthz|readyz|metrics|signin|style[\w.-]*\.css|favicon\.ico)$/
const LARGEST_BODY = 1024 * 1024

/** The access control of all routes that are mounted after it. */
export function guard(app: Hono, { pool, users, loopback, isProxy }: Access): void {
  const local: Viewer = {
    name: 'local operator',
    role: 'operator',
    csrf: randomBytes(32).toString('base64url'),
    operators: [],
    local: true,
  }
  const viewerOf = async (context: Context): Promise<Viewer | undefined> => {
    const known = users()
    if (known.size === 0) return loopback ? local : undefined
    const token = readToken(context)
    return token === undefined ? undefined : findSession(pool, token, known)
  }

  app.use(headers)
  app.use((context, next) => {
    context.set('client', clientOf(context, isProxy))
    return next()
  })
  app.use(bodyLimit({ maxSize: LARGEST_BODY }))
  app.use(async (context, next) => {
    const { path, method } = context.req
    context.set('viewer', null)
    // DNS rebinding: a foreign page whose host name resolves to 127.0.0.1 sends that name, and must not get in without sign-in.
    if (users().size === 0 && !namesLoopback(context.req.header('host'))) {
      return refuse(
        context,
        'Host name not allowed',
        'Without users the pages only respond to localhost. Add a user: nightshift user add NAME --role operator',
      )
    }
    const changes = method !== 'GET' && method !== 'HEAD'
    if (changes && originOf(context) === 'foreign') return refuse(context, 'Request refused', FOREIGN)
    if (OPEN.test(path)) return next()

    const viewer = await viewerOf(context)
    if (viewer === undefined) return askToSignIn(context)
    context.set('viewer', viewer)
    if (changes && !(await isIntended(context, viewer))) return refuse(context, 'Request refused', FOREIGN)
    return next()
  })
}

const FOREIGN =
  'The request did not come from a page of this server, or the page is out of date. Reload the page and try again.'

/** A change needs the session's own `csrf` token. The queue board has none, so its requests must send their origin. */
async function isIntended(context: Context, viewer: Viewer): Promise<boolean> {
  if (context.req.path.startsWith('/queues/')) return originOf(context) === 'ours'
  const { csrf } = await context.req.parseBody()
  if (typeof csrf !== 'string') return false
  const [given, expected] = [Buffer.from(csrf), Buffer.from(viewer.csrf)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Redirects a page request to the sign-in, and back afterwards; other requests fail with 401. */
function askToSignIn(context: Context) {
  const { path, method } = context.req
  if (method !== 'GET' || path.startsWith('/queues/api/')) {
    return context.text('sign in first: /signin', 401)
  }
  const { search } = new URL(context.req.url)
  const query = path === '/' && search === '' ? '' : `?next=${encodeURIComponent(path + search)}`
  return context.redirect(`/signin${query}`, 303)
}

export function refuse(context: Context, title: string, why: string) {
  return page(context, title, html`<p>${why}</p>`, { status: 403 })
}

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

export interface Door {
  pool: Pool
  users: Users
  /** Whether nobody but this machine can reach us: then, and only then, there need be no users. */
  loopback: boolean
  /** Whether a connection comes from a declared proxy, whose `X-Forwarded-*` count. */
  isProxy: Networks
}

/** What programs ask, and what the sign-in page is made of: no sign-in. */
const OPEN = /^\/(?:healthz|readyz|metrics|signin|style[\w.-]*\.css|favicon\.ico)$/
const LARGEST_BODY = 1024 * 1024

/** Lets in who may come in; every route that is mounted later stands behind it. */
export function guard(app: Hono, { pool, users, loopback, isProxy }: Door): void {
  const local: Viewer = {
    name: 'local operator',
    role: 'operator',
    csrf: randomBytes(32).toString('base64url'),
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
    // A foreign page whose name was bound to 127.0.0.1 says that name: it must not reach what needs no sign-in.
    if (users().size === 0 && !namesLoopback(context.req.header('host'))) {
      return refuse(
        context,
        'Not under this name',
        'Without users the pages answer to localhost alone. Add users: nightshift user add NAME --role operator',
      )
    }
    const changes = method !== 'GET' && method !== 'HEAD'
    if (changes && originOf(context) === 'foreign') return refuse(context, 'Not from there', FOREIGN)
    if (OPEN.test(path)) return next()

    const viewer = await viewerOf(context)
    if (viewer === undefined) return askToSignIn(context)
    context.set('viewer', viewer)
    if (changes && !(await isMeant(context, viewer))) return refuse(context, 'Not from there', FOREIGN)
    return next()
  })
}

const FOREIGN =
  'The request did not come from a page of this server, or from one that is out of date. Load the page again and repeat it.'

/** A change needs the session's own `csrf`; the queue board knows none, so its requests have to say their origin. */
async function isMeant(context: Context, viewer: Viewer): Promise<boolean> {
  if (context.req.path.startsWith('/queues/')) return originOf(context) === 'ours'
  const { csrf } = await context.req.parseBody()
  if (typeof csrf !== 'string') return false
  const [given, expected] = [Buffer.from(csrf), Buffer.from(viewer.csrf)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** A page is asked for again after the sign-in; whatever else is asked for fails. */
function askToSignIn(context: Context) {
  const { path, method } = context.req
  if (method !== 'GET' || path.startsWith('/queues/api/')) {
    return context.text('sign in first: /signin', 401)
  }
  const { search } = new URL(context.req.url)
  const wanted = path === '/' && search === '' ? '' : `?next=${encodeURIComponent(path + search)}`
  return context.redirect(`/signin${wanted}`, 303)
}

export function refuse(context: Context, title: string, why: string) {
  return page(context, title, html`<p>${why}</p>`, { status: 403 })
}

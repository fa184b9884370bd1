import type { MiddlewareHandler } from 'hono'

/** No script at all; styles and pictures from here. */
const PAGES = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** The queue board is an application: its own scripts, and the styles that they set. */
const BOARD = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What each answer says beside its content; a page that says it itself is left as it is. */
export const headers: MiddlewareHandler = async (context, next) => {
  await next()
  const board = context.req.path === '/queues' || context.req.path.startsWith('/queues/')
  const wanted = {
    'content-security-policy': board ? BOARD : PAGES,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (!context.res.headers.has(name)) context.header(name, value)
  }
}

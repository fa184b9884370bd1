import type { MiddlewareHandler } from 'hono'

/** No scripts; styles and pictures only from this server. */
const PAGES = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** The queue board is an application: it needs its own scripts, and the styles that they set. */
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

/** Adds security headers to each response, unless the page has set them itself. */
export const headers: MiddlewareHandler = async (context, next) => {
  await next()
  const board = context.req.path === '/queues' || context.req.path.startsWith('/queues/')
  const defaults = {
    'content-security-policy': board ? BOARD : PAGES,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
  }
  for (const [name, value] of Object.entries(defaults)) {
    if (!context.res.headers.has(name)) context.header(name, value)
  }
}

import type { MiddlewareHandler } from 'hono'
import { html } from 'hono/html'
import { page } from '../page.ts'

/**
 * Responds with 400 to a malformed address before anything is looked up: percent-escapes that are not UTF-8, or a NUL
 * character, which PostgreSQL does not accept in text.
 */
export const rejectMalformed: MiddlewareHandler = async (context, next) => {
  const why = malformedReason(context.req.url)
  if (why === undefined) return next()
  return page(
    context,
    'Malformed address',
    html`<div class="card"><p>${why} <a href="/">The overview</a></p></div>`,
    { status: 400 },
  )
}

function malformedReason(url: string): string | undefined {
  try {
    return decodeURIComponent(url).includes('\0')
      ? 'It contains a NUL character (%00), which is not allowed in names and texts.'
      : undefined
  } catch {
    return 'It contains a % that does not start a valid UTF-8 escape; write the character itself as %25.'
  }
}

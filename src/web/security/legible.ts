import type { MiddlewareHandler } from 'hono'
import { html } from 'hono/html'
import { page } from '../page.ts'

/**
 * An address that is no text is answered with 400, before anything is looked up by it: escapes that are no UTF-8, and
 * the character of code 0, which PostgreSQL takes in no text.
 */
export const legible: MiddlewareHandler = async (context, next) => {
  const why = illegible(context.req.url)
  if (why === undefined) return next()
  return page(
    context,
    'This address cannot be read',
    html`<div class="card"><p>${why} <a href="/">The overview</a></p></div>`,
    { status: 400 },
  )
}

function illegible(url: string): string | undefined {
  try {
    return decodeURIComponent(url).includes('\0')
      ? 'It has the character of code 0 (%00) in it, which no name and no text has.'
      : undefined
  } catch {
    return 'It has a % in it that does not begin a character of UTF-8; the sign itself is written %25.'
  }
}

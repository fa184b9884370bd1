import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Frame, type Html, layout } from './layout.ts'
import { noticeOf } from './notice.ts'

/** Answers with a page for whoever is signed in. */
export function page(
  context: Context,
  title: string,
  body: Html,
  { status = 200, ...frame }: Frame & { status?: ContentfulStatusCode } = {},
) {
  const said = { viewer: context.get('viewer'), notice: noticeOf(context), ...frame }
  return context.html(layout(title, body, said), status)
}

/** Answers that there is no such thing, and what to do instead. */
export function missing(context: Context, title: string, todo: Html) {
  return page(context, title, html`<div class="card">${todo}</div>`, { status: 404 })
}

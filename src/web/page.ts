import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Frame, type Html, layout } from './layout.ts'
import { noticeOf } from './notice.ts'

/** Responds with a page for the signed-in user. */
export function page(
  context: Context,
  title: string,
  body: Html,
  { status = 200, ...frame }: Frame & { status?: ContentfulStatusCode } = {},
) {
  const complete = {
    viewer: context.get('viewer'),
    notice: noticeOf(context),
    banners: context.get('banners'),
    ...frame,
  }
  return context.html(layout(title, body, complete), status)
}

/** Responds with 404 and what to do instead. */
export function missing(context: Context, title: string, todo: Html) {
  return page(context, title, html`<div class="card">${todo}</div>`, { status: 404 })
}

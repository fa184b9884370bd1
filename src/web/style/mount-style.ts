import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'
import { ownFile } from '../../program/own-files.ts'

/** In this order: later sheets override earlier ones. */
const SHEETS = ['page', 'table', 'state', 'form', 'prose', 'charts']
const A_YEAR_S = 365 * 24 * 3600

let read: { css: string; href: string } | undefined

function sheet(): { css: string; href: string } {
  if (read === undefined) {
    const sheets = SHEETS.map((name) => readFileSync(ownFile(`web/style/${name}.css`), 'utf8'))
    const css = sheets.join('\n')
    read = { css, href: `/style-${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css` }
  }
  return read
}

/** The address of the style sheet. It changes with the content, so that browsers can cache it. */
export function styleHref(): string {
  return sheet().href
}

/** The style sheet as text, for a self-contained page. */
export function styleText(): string {
  return sheet().css
}

/** Serves the style sheet of all pages, also under addresses that older pages link to. */
export function mountStyle(app: Hono): void {
  app.get('/:sheet{style[\\w.-]*\\.css}', (context) => {
    const { css, href } = sheet()
    const current = context.req.path === href
    return context.body(css, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': current ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
    })
  })
}

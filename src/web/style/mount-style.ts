import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Hono } from 'hono'

/** In this order: later ones speak last. */
const SHEETS = ['page', 'table', 'state', 'form', 'prose', 'charts']
const A_YEAR_S = 365 * 24 * 3600

let read: { css: string; href: string } | undefined

function sheet(): { css: string; href: string } {
  if (read === undefined) {
    const sheets = SHEETS.map((name) => readFileSync(new URL(`./${name}.css`, import.meta.url), 'utf8'))
    const css = sheets.join('\n')
    read = { css, href: `/style-${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css` }
  }
  return read
}

/** The address of the style sheet: another with each change, so that browsers keep it. */
export function styleHref(): string {
  return sheet().href
}

/** The style sheet as text, for a page that has to stand alone. */
export function styleText(): string {
  return sheet().css
}

/** The style sheet of all pages, under its own address and under the one of an older page. */
export function mountStyle(app: Hono): void {
  app.get('/:sheet{style[\\w.-]*\\.css}', (context) => {
    const { css, href } = sheet()
    const lasting = context.req.path === href
    return context.body(css, 200, {
      'content-type': 'text/css; charset=utf-8',
      'cache-control': lasting ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
    })
  })
}

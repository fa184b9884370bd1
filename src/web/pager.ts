import { html } from 'hono/html'

const MOST_PAGES = 100_000

/** The page that an address asks for: the first where what it says is none. */
export function pageNumber(text: string | undefined): number {
  return isPage(text) ? Number(text || 1) : 1
}

/** Why that cannot be read. */
export function pageProblem(text: string | undefined): string[] {
  return isPage(text) ? [] : [`page: expected a whole number from 1 to ${MOST_PAGES}, got: ${text}`]
}

function isPage(text: string | undefined): boolean {
  const number = Number(text || 1)
  return Number.isInteger(number) && number >= 1 && number <= MOST_PAGES
}

/** Links to the page before and the page after; `at` is the address of a page, without its number where it is the first. */
export function pager(
  page: number,
  more: boolean,
  at: (page: number | undefined) => string,
  [before, after]: [string, string],
) {
  if (page === 1 && !more) return ''
  return html`<nav class="pager" aria-label="Pages"><span>${page === 1 ? '' : html`<a rel="prev" href="${at(page === 2 ? undefined : page - 1)}">${before}</a>`}</span><span class="quiet">Page ${page}</span><span>${more ? html`<a rel="next" href="${at(page + 1)}">${after}</a>` : ''}</span></nav>`
}

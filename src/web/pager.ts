import { html } from 'hono/html'

const MOST_PAGES = 100_000

/** The requested page number; 1 if it is not a valid number. */
export function pageNumber(text: string | undefined): number {
  return isPage(text) ? Number(text || 1) : 1
}

/** Reports an invalid page number. */
export function pageProblem(text: string | undefined): string[] {
  return isPage(text) ? [] : [`page: expected a whole number from 1 to ${MOST_PAGES}, got: ${text}`]
}

function isPage(text: string | undefined): boolean {
  const number = Number(text || 1)
  return Number.isInteger(number) && number >= 1 && number <= MOST_PAGES
}

/** Links to the previous and next page; `at` returns the address of a page, undefined stands for the first one. */
export function pager(
  page: number,
  more: boolean,
  at: (page: number | undefined) => string,
  [before, after]: [string, string],
) {
  if (page === 1 && !more) return ''
  return html`<nav class="pager" aria-label="Pages"><span>${page === 1 ? '' : html`<a rel="prev" href="${at(page === 2 ? undefined : page - 1)}">${before}</a>`}</span><span class="quiet">Page ${page}</span><span>${more ? html`<a rel="next" href="${at(page + 1)}">${after}</a>` : ''}</span></nav>`
}

import { html } from 'hono/html'

/** The page that an address asks for: the first where what it says is none. */
export function pageNumber(text: string | undefined): number {
  const number = Number(text || 1)
  return Number.isInteger(number) && number >= 1 && number <= 100_000 ? number : 1
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

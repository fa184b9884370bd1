import { html, raw } from 'hono/html'
import type { Chart, Figures } from '../../../charts/chart.ts'
import { renderSvg } from '../../../charts/render.ts'
import type { Html } from '../../layout.ts'

/** Width of pictures over time: fits a phone and a third of a desktop window, so that text is readable on both. */
const WIDTH = 420

/** A picture with a sentence that summarizes it, and its figures as a table; without figures only the sentence. */
export async function picture(
  chart: Chart,
  {
    title,
    sentence,
    note = '',
    empty = false,
  }: { title: string; sentence: Html; note?: Html; empty?: boolean },
) {
  if (empty) return html`<section class="card figure"><h2>${title}</h2><p>${sentence}</p>${note}</section>`
  const svg = await renderSvg(chart, { width: WIDTH, theme: 'page' })
  return html`<section class="card figure"><h2>${title}</h2><p>${sentence}</p>
${raw(svg)}
${note}
${chart.table === undefined ? '' : asTable(chart.table, title)}</section>`
}

function asTable({ by, head, rows, overTime }: Figures, title: string) {
  const columns = head.map(
    (name, index) => html`<th scope="col"${index === 0 ? '' : raw(' class="number"')}>${name}</th>`,
  )
  const caption = `${title} by ${by}`
  const ordered = overTime === true ? rows.toReversed() : rows
  return html`<details><summary>${title} as a table</summary><div tabindex="0" role="region" aria-label="${caption}"><table><caption class="sr">${caption}</caption>
<thead><tr>${columns}</tr></thead><tbody>${raw(ordered.map(asRow).join(''))}</tbody></table></div></details>`
}

/** Text between tags: no full escaping is needed, and a page has thousands of them. */
function asRow([name, ...figures]: string[]): string {
  return `<tr><th scope="row">${plain(name)}</th>${figures.map((text) => `<td class="number">${plain(text)}</td>`).join('')}</tr>`
}

function plain(text: string | undefined): string {
  return (text ?? '').replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

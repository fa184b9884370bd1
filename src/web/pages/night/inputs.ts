import { html } from 'hono/html'
import { count } from '../../../format/numbers.ts'
import { bytes } from '../../../format/sizes.ts'
import type { InputFile } from '../../../pipeline/engine/facts.ts'
import type { Project } from '../../../project/project.ts'
import { moment } from '../../moment.ts'

/** How many files of a source are shown: the newest ones; the others are collapsed. */
const SHOWN = 3

/** The input files, as of the time they were read. */
export function inputs(all: InputFile[], project: Project, about: string) {
  if (all.length === 0) return ''
  const sources = [...new Set(all.map(({ source }) => source))]
  return html`<section class="card" aria-labelledby="inputs"><h2 id="inputs">Inputs</h2><p class="quiet small">${about}</p>
${sources.map((source) => {
  const files = all
    .filter((file) => file.source === source)
    .sort((a, b) => (b.newest ?? b.modified).localeCompare(a.newest ?? a.modified))
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const [newest] = files
  return html`<h3>${source} <span class="quiet small">${count(files.length)} ${files.length === 1 ? 'file' : 'files'}, ${count(rows)} rows${newest?.newest == null ? '' : html`, newest row ${moment(newest.newest, project.timezone)}`}</span></h3>
${table(files.slice(0, SHOWN), source, project)}
${files.length <= SHOWN ? '' : html`<details><summary>${files.length - SHOWN} older files</summary>${table(files.slice(SHOWN), `${source}, older`, project)}</details>`}`
})}</section>`
}

function table(files: InputFile[], name: string, { timezone }: Project) {
  return html`<table class="stack"><caption class="sr">Files of ${name}</caption><thead><tr><th scope="col">File</th><th scope="col" class="number">Size</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Visible</th><th scope="col">Newest row</th><th scope="col">Modified</th></tr></thead>
<tbody>${files.map(
    (file) =>
      html`<tr><th scope="row" class="mono">${file.path}</th><td class="number" data-label="Size">${bytes(file.size)}</td><td class="number" data-label="Rows">${count(file.rows)}</td><td class="number" data-label="Visible at the cut">${file.visible === undefined ? '' : count(file.visible.rows)}</td><td data-label="Newest row">${moment(file.newest, timezone)}</td><td data-label="Modified">${moment(file.modified, timezone)}</td></tr>`,
  )}</tbody></table>`
}

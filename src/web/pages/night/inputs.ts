import { html } from 'hono/html'
import { count } from '../../../format/numbers.ts'
import { bytes } from '../../../format/sizes.ts'
import type { InputFile } from '../../../pipeline/engine/facts.ts'
import type { Project } from '../../../project/project.ts'
import { moment } from '../../moment.ts'
import { labelled, number, table } from '../../table.ts'

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
${filesTable(files.slice(0, SHOWN), source, project)}
${files.length <= SHOWN ? '' : html`<details><summary>${files.length - SHOWN} older files</summary>${filesTable(files.slice(SHOWN), `${source}, older`, project)}</details>`}`
})}</section>`
}

function filesTable(files: InputFile[], name: string, { timezone }: Project) {
  return table(`Files of ${name}`, files, [
    { heading: 'File', cell: ({ path }) => path, cellClass: () => 'mono' },
    number('Size', ({ size }) => bytes(size)),
    number('Rows', ({ rows }) => count(rows)),
    {
      ...number('Visible', ({ visible }) => (visible === undefined ? '' : count(visible.rows))),
      label: 'Visible at the cut',
    },
    labelled('Newest row', ({ newest }) => moment(newest, timezone)),
    labelled('Modified', ({ modified }) => moment(modified, timezone)),
  ])
}

import { html } from 'hono/html'
import { localTimes } from '../../../format/clock-time.ts'
import { shortFraction } from '../../../format/numbers.ts'
import type { Check } from '../../../pipeline/engine/facts.ts'
import { stateMark } from '../../state-mark.ts'
import { table } from '../../table.ts'

/** Expectations: failed ones (`withRows`: with sample rows), the others in a collapsed list, and who released the run despite them. */
export function checks(
  all: Check[],
  {
    about,
    timezone,
    withRows,
    releases = [],
  }: { about: string; timezone: string; withRows: boolean; releases?: string[] },
) {
  if (all.length === 0) return ''
  const failed = all.filter((check) => !check.passed)
  const met = all.filter((check) => check.passed)
  return html`<section class="card" aria-labelledby="expectations"><h2 id="expectations">Expectations</h2>
<p>${stateMark(failed.length === 0 ? 'published' : 'failed', `${met.length} met, ${failed.length} failed`)} <span class="quiet small">${about}</span></p>
${releases.map((release) => html`<p>${release}</p>`)}
${failed.map(
  (check) =>
    html`<h3 class="text-failed">${check.id}</h3><p>${localTimes(check.message, timezone)}</p>${withRows ? samples(check) : ''}`,
)}
${met.length === 0 ? '' : html`<details><summary>${met.length} met</summary><ul class="list small">${met.map((check) => html`<li><strong>${check.id}</strong>: ${localTimes(check.message, timezone)}</li>`)}</ul></details>`}
</section>`
}

function samples({ id, samples: rows }: Check) {
  const [first] = rows
  if (first === undefined) return ''
  return table(
    'Sample rows',
    rows,
    Object.keys(first).map((name) => ({
      heading: name,
      cell: (row: (typeof rows)[number]) => shortFraction(row[name] ?? ''),
      cellClass: () => 'mono',
    })),
    { class: '', showsCaption: true, head: undefined, scroll: `Rows that fail ${id}` },
  )
}

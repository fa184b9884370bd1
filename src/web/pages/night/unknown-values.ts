import { html } from 'hono/html'
import { count } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import type { UnknownValues } from '../../../pipeline/engine/facts.ts'
import { saysKnown } from '../../../pipeline/scoring/judge-unknown.ts'

/** Values unknown to the model, by column: the model treats all of them alike. */
export function unknownValues(found: UnknownValues[]) {
  if (found.length === 0) return ''
  return html`<section class="card" aria-labelledby="unknown"><h2 id="unknown">Values unknown to the model</h2>
<table class="stack"><caption class="sr">By column</caption><thead><tr><th scope="col">Column</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Share</th><th scope="col">Examples</th><th scope="col">Known values</th></tr></thead>
<tbody>${found.map((each) => row(each))}</tbody></table></section>`
}

function row(each: UnknownValues) {
  const { column, rows, unknown, examples } = each
  const share = rows === 0 ? 0 : unknown / rows
  const such = examples.map(
    ({ value, rows: of }) =>
      html`<div><code>${value}</code> <span class="quiet small">${count(of)}</span></div>`,
  )
  return html`<tr><th scope="row">${column}</th><td class="number" data-label="Rows">${count(unknown)} of ${count(rows)}</td><td class="number" data-label="Share">${percent(share)}</td><td data-label="Examples">${such}</td><td data-label="Known values">${saysKnown(each)}</td></tr>`
}

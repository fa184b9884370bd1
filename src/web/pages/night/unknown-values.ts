import { html } from 'hono/html'
import { count } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import type { UnknownValues } from '../../../pipeline/engine/facts.ts'
import { knownText } from '../../../pipeline/scoring/judge-unknown.ts'
import { column, labelled, number, table } from '../../table.ts'

/** Values unknown to the model, by column: the model treats all of them alike. */
export function unknownValues(found: UnknownValues[]) {
  if (found.length === 0) return ''
  return html`<section class="card" aria-labelledby="unknown"><h2 id="unknown">Values unknown to the model</h2>
${table('By column', found, [
  column('Column', ({ column: name }) => name),
  number('Rows', ({ unknown, rows }) => `${count(unknown)} of ${count(rows)}`),
  number('Share', ({ unknown, rows }) => percent(rows === 0 ? 0 : unknown / rows)),
  labelled('Examples', ({ examples }) =>
    examples.map(
      ({ value, rows }) =>
        html`<div><code>${value}</code> <span class="quiet small">${count(rows)}</span></div>`,
    ),
  ),
  labelled('Known values', knownText),
])}</section>`
}

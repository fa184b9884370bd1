import { html } from 'hono/html'
import type { Explained } from '../../../actions/rows/explain-score.ts'
import { count, figure, signed } from '../../../format/numbers.ts'
import { moment } from '../../moment.ts'
import { column, labelled, number, table } from '../../table.ts'

/** One row: its score, what each feature did to it, and what it was computed from. */
export function rowBody(found: Explained, timezone: string) {
  const { score, decision, version, run, reasons, notes } = found
  return html`<section class="card" aria-labelledby="score"><h2 id="score">Score</h2>
<p><strong>${figure(score, 'no number')}</strong>${decision === null ? '' : decision ? ', on the list' : ', not on the list'}. Version ${version}, run <a href="/runs/${run}">${run}</a>, published ${moment(found.published_at, timezone)}.</p>
${notes.map((note) => html`<p class="text-late">${note}</p>`)}</section>
<section class="card" aria-labelledby="why"><h2 id="why">Why</h2>
${reasons === null ? html`<p>Its reasons cannot be computed.</p>` : whyText(reasons)}
${featuresTable(found)}</section>`
}

type Reasons = NonNullable<Explained['reasons']>

function whyText({ method, unit, mean, rest, typical_score, background, effects }: Reasons) {
  const [first] = effects
  const inUnit = unit === 'score' ? 'in the unit of the score' : 'in log-odds'
  const strongest =
    first === undefined
      ? 'No feature had an effect.'
      : `Most of all ${first.column} ${first.effect > 0 ? 'raised' : 'lowered'} it, by ${figure(Math.abs(first.effect))}.`
  const how =
    method === 'paths'
      ? `Effects are ${inUnit}: what each feature adds along the paths of the trees. From the mean ${figure(mean)} they add up to the score.`
      : `Effects are ${inUnit}: what the score would lose if this feature alone had its typical value. A row of typical values has the score ${figure(typical_score)}; ${figure(rest)} is left that features do together.`
  return html`<p>${strongest}</p><p class="small quiet">${how} Typical values are of ${count(background)} rows of the night. An effect says what the model did, not what would happen if the value changed.</p>`
}

function featuresTable({ features, inputs_of_model: inputs, reasons }: Explained) {
  const effects = new Map(reasons?.effects.map((each) => [each.column, each]))
  const names = [...effects.keys(), ...Object.keys(features).filter((name) => !effects.has(name))]
  const most = Math.max(0, ...[...effects.values()].map(({ effect }) => Math.abs(effect)))
  return table(
    'Features, the strongest effect first',
    names,
    [
      column('Feature', (name) => name),
      labelled('Value', (name) => (features[name] === '' ? '""' : String(features[name] ?? 'missing'))),
      labelled('Typical', (name) => {
        const typical = effects.get(name)?.typical
        return typeof typical === 'number' ? figure(typical) : typical
      }),
      number('Effect', (name) =>
        inputs.includes(name) ? signed(effects.get(name)?.effect) || 'none' : 'not read by the model',
      ),
      {
        heading: html`<span class="sr">Size of the effect</span>`,
        class: 'effect',
        cell: (name) => bar(effects.get(name)?.effect ?? 0, most),
      },
    ],
    { class: 'stack effects' },
  )
}

/** To the right of the middle it raised the score, to the left it lowered it; the number stands beside it. */
function bar(effect: number, most: number) {
  if (effect === 0 || most === 0) return ''
  const width = Math.max(1, Math.round((Math.abs(effect) / most) * 60))
  const side = effect > 0 ? 'raised' : 'lowered'
  return html`<svg class="effect-bar" viewBox="0 0 120 12" width="120" height="12" aria-hidden="true"><path class="middle" d="M60 0V12"/><rect class="${side}" x="${effect > 0 ? 60 : 60 - width}" y="2" width="${width}" height="8"/></svg>`
}

import { html, raw } from 'hono/html'
import { escaped } from '../../../charts/escape.ts'
import { count } from '../../../format/numbers.ts'
import type { BackfillNight } from '../../../jobs/backfills/backfill-nights.ts'
import { nightHref } from '../../addresses.ts'
import { stateMark } from '../../state-mark.ts'
import type { BackfillView } from './load.ts'
import { faceOfNight } from './state.ts'

/** A square for each night, in lines of a month, or of a day where nights are hours; each leads to its night. */
export function grid({ nights, backfill, project }: BackfillView) {
  const lines = new Map<string, BackfillNight[]>()
  for (const night of nights) {
    const title = night.partition.slice(0, night.partition.includes('T') ? 10 : 7)
    lines.set(title, [...(lines.get(title) ?? []), night])
  }
  // Built as text: a template for each of a thousand squares would take most of the page's rendering time.
  const square = ({ partition, state, run_state }: BackfillNight) => {
    const [face, words] = faceOfNight(state, run_state)
    const href = nightHref({ kind: 'scores', name: backfill.model, partition }, project.models)
    const title = escaped(`${partition}: ${words}`)
    return `<li><a class="cell face face-${face}" href="${escaped(href)}" title="${title}"><span class="sr">${title}</span></a></li>`
  }
  return html`<section class="card" aria-labelledby="nights"><h2 id="nights">Nights</h2>
${[...lines].map(([title, own]) => html`<h3 class="small">${title}</h3><ol class="night-grid">${raw(own.map(square).join(''))}</ol>`)}
${legendOf(nights)}</section>`
}

/** The states that occur, with their numbers. */
function legendOf(nights: BackfillNight[]) {
  const counts = new Map<string, { face: ReturnType<typeof faceOfNight>[0]; number: number }>()
  for (const { state, run_state } of nights) {
    const [face, words] = faceOfNight(state, run_state)
    counts.set(words, { face, number: (counts.get(words)?.number ?? 0) + 1 })
  }
  return html`<ul class="legend" aria-label="What the squares mean">${[...counts].map(([words, { face, number }]) => html`<li>${stateMark(face, `${count(number)} ${words}`)}</li>`)}</ul>`
}

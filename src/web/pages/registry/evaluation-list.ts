import { html } from 'hono/html'
import { count, figure, interval } from '../../../format/numbers.ts'
import { METRIC_TABLE } from '../../../project/schema/metric.ts'
import { evaluationHref } from '../../addresses.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { type Column, column, labelled, table } from '../../table.ts'
import type { Evaluation } from './evaluation-record.ts'

/** Figures that a phone and a card have room for; the evaluation's own page has all of them. */
const SHOWN = 4
/** The most holdouts that are shown. */
const HOLDOUTS = 10

/** The newest evaluation of each version, side by side with those on the same holdout. */
export function evaluationList(all: Evaluation[], timezone: string) {
  const holdouts = [...new Set(all.map(({ dataset }) => dataset))]
  const shown = holdouts.slice(0, HOLDOUTS)
  return html`${shown.map((dataset) => {
    const own = newestOfEach(all.filter((each) => each.dataset === dataset))
    const rows = own[0]?.rows
    return html`<h3>Holdout of <code>${dataset}</code>${rows === undefined ? '' : html` <span class="small quiet">${count(rows)} rows</span>`}</h3>
${comparison(own, dataset, timezone)}`
  })}${holdouts.length > shown.length ? html`<p class="small quiet">${holdouts.length - shown.length} older holdouts are not shown.</p>` : ''}`
}

/** Of the newest first, the newest of each version, by version from the newest down. */
export function newestOfEach(all: Evaluation[]): Evaluation[] {
  const newest = new Map<number, Evaluation>()
  for (const each of all) if (!newest.has(each.version)) newest.set(each.version, each)
  return [...newest.values()].sort((a, b) => b.version - a.version)
}

function comparison(own: Evaluation[], dataset: string, timezone: string) {
  const metrics = METRIC_TABLE.filter(({ key }) => own.some((each) => each.metrics[key] !== undefined))
  const columns: Column<Evaluation>[] = [
    column(
      'Version',
      ({ model, id, version }) =>
        html`<a class="nowrap" href="${evaluationHref(model, id)}">version ${version}</a>`,
    ),
    column('Result', ({ passed }) =>
      stateMark(passed ? 'published' : 'failed', passed ? 'passed' : 'not passed'),
    ),
    ...metrics.slice(0, SHOWN).map(({ key, words }) => ({
      heading: words,
      label: words,
      class: 'number',
      cell: ({ metrics: values, intervals }: Evaluation) =>
        html`${figure(values[key], 'none')} <span class="quiet small below">${interval(intervals[key])}</span>`,
    })),
    labelled(
      'Evaluated',
      ({ at, by }) =>
        html`${moment(at, timezone)}${by === null ? '' : html` <span class="small quiet">by ${by}</span>`}`,
    ),
  ]
  return table(`Evaluations on the holdout of ${dataset}, with 95 % intervals`, own, columns)
}

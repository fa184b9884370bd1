import { html } from 'hono/html'
import { duration } from '../../../format/elapsed.ts'
import { count, figure } from '../../../format/numbers.ts'
import { faceOf } from '../../../ledger/nights/faces.ts'
import type { OutcomeNight } from '../../../monitoring/outcomes/outcome-nights.ts'
import { isBuiltIn, METRICS, metricColumns, NIGHT_COLUMNS } from '../../../project/schema/metric.ts'
import { nightHref } from '../../addresses.ts'
import { type Cell, csv } from '../../csv.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, number, table } from '../../table.ts'
import { whyUnmeasured } from '../night/why-unmeasured.ts'
import type { ModelView, NightFigures } from './load.ts'

/** Every night of the window, the newest first, each with a link to its page. */
export function nightsSection(view: ModelView) {
  const { nights, model, now } = view
  const drifted = driftedColumns(view)
  const measured = (outcome: OutcomeNight | undefined) =>
    outcome?.figures?.metrics.auc ?? outcome?.figures?.metrics.rmse
  const rows = nights.map((night, index) => ({ night, outcome: view.outcomes[index] })).toReversed()
  const shown = table(
    `Nights of ${model.name}, the newest first`,
    rows,
    [
      column(
        'As of',
        ({ night: { partition } }) =>
          html`<a href="${nightHref({ kind: 'scores', name: model.name, partition }, {})}">${partition}</a>`,
      ),
      column(
        'State',
        ({ night }) =>
          html`${stateMark(faceOf(night, now))}${night.backfilled ? html` <span class="tag">backfilled</span>` : ''}`,
      ),
      number('Version', ({ night }) => night.version),
      number('Rows', ({ night }) => (night.rows === null ? '' : count(night.rows))),
      number('Time', ({ night }) => (night.seconds === null ? '' : duration(night.seconds * 1000))),
      labelled('Drifted', ({ night }) => drifted.get(night.partition)?.join(', ')),
      number('Measured', ({ outcome }) => figure(measured(outcome))),
      labelled('Matures', ({ outcome }) => (outcome?.state === 'immature' ? maturity(outcome, view) : '')),
    ],
    { scroll: `Nights of ${model.name}` },
  )
  return html`<section class="card" aria-labelledby="nights"><h2 id="nights">Nights</h2><details><summary>${nights.length === 1 ? 'One night' : `${nights.length} nights`} as a table</summary>
${shown}</details></section>`
}

/** When the night can be measured, or what prevents it. */
function maturity(outcome: OutcomeNight, view: ModelView) {
  const { timezone } = view
  const why = whyUnmeasured(outcome, view)
  return html`${moment(outcome.matures_at, timezone)}${why === undefined ? '' : html`<div class="small quiet">${why}</div>`}`
}

/** The nights as CSV, the oldest first, with every figure; times are ISO 8601 in UTC. */
export function nightsCsv(view: NightFigures): string {
  const drifted = driftedColumns(view)
  const business = [
    ...new Set(view.outcomes.flatMap((night) => night?.figures?.business.map(({ name }) => name) ?? [])),
  ]
  // Nights measured before such names were refused still have them.
  const named = business.map((name) => (isBuiltIn(name) ? `own ${name}` : name))
  const head = [...NIGHT_COLUMNS, ...METRICS.flatMap(metricColumns), ...named]
  const rows = view.nights.map((night, index): Cell[] => {
    const [score, outcome] = [view.scores[index], view.outcomes[index]]
    const figures = outcome?.figures
    const quantile = (at: number) => score?.quantiles?.[at]
    return [
      night.partition,
      night.state,
      night.late,
      night.run,
      night.version,
      night.backfilled,
      night.published_at,
      night.rows,
      night.seconds,
      quantile(1),
      quantile(3),
      quantile(4),
      quantile(5),
      quantile(7),
      score?.mean,
      score?.reference,
      (drifted.get(night.partition) ?? []).join(' '),
      score?.estimate?.auc,
      score?.estimate?.rate,
      outcome?.state,
      outcome?.matures_at,
      figures?.rows,
      figures?.treated.measured_on,
      figures?.treated.biased,
      figures?.realized?.value,
      figures?.realized?.low,
      figures?.realized?.high,
      figures?.predicted,
      ...METRICS.flatMap((metric) => [
        figures?.metrics[metric],
        figures?.intervals[metric]?.low,
        figures?.intervals[metric]?.high,
      ]),
      ...business.map((name) => figures?.business.find((each) => each.name === name)?.value),
    ]
  })
  return csv(head, rows)
}

function driftedColumns({ drift }: Pick<NightFigures, 'drift'>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { partition, column, drifted } of drift) {
    if (drifted) found.set(partition, [...(found.get(partition) ?? []), column])
  }
  return found
}

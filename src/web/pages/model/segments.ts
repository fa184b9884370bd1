import { html } from 'hono/html'
import { bracketed, count, figure, interval } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import { isFewOnRecord } from '../../../pipeline/evaluation/few.ts'
import type { OutcomeFacts } from '../../../pipeline/outcomes/outcome-facts.ts'
import { businessText } from '../../../pipeline/outcomes/treatment.ts'
import { isMostlyUnlabelled, unlabelledText } from '../../../pipeline/outcomes/unlabelled.ts'
import { METRIC_TABLE, type Metric } from '../../../project/schema/metric.ts'
import { column, number, table } from '../../table.ts'
import { bias } from './bias.ts'
import type { ModelView } from './load.ts'

/** The newest measured night. */
export function measuredSection({ newest, model, window }: Pick<ModelView, 'newest' | 'model' | 'window'>) {
  if (newest === undefined) return ''
  const within = window.to === undefined ? '' : ` up to ${window.to}`
  return measured(newest.report, model, `${newest.partition}, the newest measured night${within}`)
}

/** Realized outcomes of one night: every figure with its interval, calibration, segments and business figures. */
export function measured(report: OutcomeFacts, model: ModelView['model'], heading: string) {
  const shown = METRIC_TABLE.filter(({ key }) => report.metrics[key] != null)
  const figures = shown.map(
    ({ key, words }) =>
      html`<dt>${words}</dt><dd>${figure(report.metrics[key])}${bracketed(report.intervals[key])}</dd>`,
  )
  const reached = report.business.map(
    ({ name, value, target, error }) =>
      html`<dt>${name}</dt><dd>${error ?? figure(value)}${target === null ? '' : html` <span class="quiet">target ${figure(target)}</span>`}</dd>`,
  )
  const main: Metric = report.kind === 'regression' ? 'rmse' : 'auc'
  const segments = table('Figures by segment', report.by_segment, [
    column('Segment', ({ segment, value }) => `${segment} ${value}`),
    number('Rows', ({ rows }) => count(rows)),
    number(main.toUpperCase(), ({ metrics }) => figure(metrics[main])),
    number(
      '95 %',
      ({ intervals, metrics }) => interval(intervals[main]) || (metrics[main] == null ? '' : 'too few rows'),
    ),
  ])
  const bins = report.calibration.filter(({ rows }) => rows > 0)
  const calibration = table('Calibration', bins, [
    column('Score', ({ from, to }) => `${percent(from)} to ${percent(to)}`),
    number('Rows', ({ rows }) => count(rows)),
    number('Predicted', ({ mean_score }) => (mean_score === null ? '' : percent(mean_score))),
    number('Realized', ({ realized }) => (realized === null ? '' : percent(realized))),
  ])
  return html`<section class="card" aria-labelledby="measured"><h2 id="measured">${heading}</h2>
<p class="quiet small">Measured on ${count(report.rows)} of ${count(report.scored)} scores${report.positives === null ? '' : `; ${count(report.positives)} of them are positive`}. In brackets: 95 % intervals, ${isFewOnRecord(report) ? 'Wilson intervals of rates' : 'from resampled entities'}. k is ${model.evaluation.k < 1 ? percent(model.evaluation.k) : count(model.evaluation.k)} of the rows.</p>
${unlabelled(report)}${bias(report.treated)}
<dl class="facts">${rates(report)}${figures}${reached}</dl>
${businessNote(report)}
${report.notes.map((note) => html`<p class="small">${note}</p>`)}
${bins.length === 0 ? '' : html`<details><summary>Calibration</summary>${calibration}</details>`}
${report.by_segment.length === 0 ? '' : html`<details><summary>By segment</summary>${segments}</details>`}
</section>`
}

function businessNote(report: OutcomeFacts) {
  const text = businessText(report)
  return text === undefined
    ? ''
    : html`<p class="quiet small">${text.slice(0, 1).toUpperCase()}${text.slice(1)}.</p>`
}

function unlabelled(report: OutcomeFacts) {
  const text = unlabelledText(report, count)
  if (text === undefined) return ''
  return isMostlyUnlabelled(report)
    ? html`<p class="note"><strong>${text}.</strong> These figures only cover the other rows; late labels are included when they arrive.</p>`
    : html`<p class="quiet small">${text}.</p>`
}

function rates({ kind, realized, predicted }: OutcomeFacts) {
  if (realized === null) return ''
  const format = (value: number | null) =>
    value === null ? '' : kind === 'regression' ? figure(value) : percent(value)
  return html`<dt>Realized</dt><dd>${format(realized.value)}${bracketed(realized, format)}, predicted ${format(predicted)}</dd>`
}

import { html } from 'hono/html'
import { percent } from '../../../charts/figure.ts'
import { business, type Estimate, quality, realizedAgainstPredicted } from '../../../charts/outcomes.ts'
import type { Metric } from '../../../project/metric.ts'
import { otherHorizons } from '../../../registry/other-horizons.ts'
import type { OutcomeNight } from '../../../registry/outcome-nights.ts'
import { boundOf } from '../../bound.ts'
import { figure, moment } from '../../moment.ts'
import { bias } from './bias.ts'
import type { ModelView } from './load.ts'
import { picture } from './picture.ts'

const NAMES: Partial<Record<Metric, string>> = { auc: 'AUC', rmse: 'RMSE' }

/** What came of the scores: quality, rates and business figures. Nothing where the model has no labels. */
export async function outcomePictures(view: ModelView) {
  if (view.model.labels === undefined) return []
  return Promise.all([qualityPicture(view), ratePicture(view), ...businessPictures(view)])
}

function qualityPicture(view: ModelView) {
  const { outcomes, axis, model, scores } = view
  const metric = metricOf(view)
  const last = outcomes.findLast((night) => night?.figures?.metrics[metric] != null)
  const bound = boundOf(model, metric)
  const chart = quality(axis, {
    name: NAMES[metric] ?? metric,
    measured: outcomes.map((night) => estimateOf(night, metric)),
    estimate: scores.map((night) => (metric === 'auc' ? (night?.estimate?.auc ?? null) : null)),
    immature: immatureOf(outcomes),
    target: bound,
  })
  const interval = last?.figures?.intervals[metric]
  const promised = scores.findLast((night) => night?.estimate?.auc != null)
  return picture(chart, {
    title: `${NAMES[metric] ?? metric}, measured`,
    says: html`${
      last === undefined
        ? 'No night has been measured yet.'
        : html`${figure(last.figures?.metrics[metric])}${interval === undefined ? '' : ` (95 %: ${figure(interval.low)} to ${figure(interval.high)})`} on ${last.partition}.`
    }${metric === 'auc' && promised !== undefined ? html` The scores of ${promised.partition} promise ${figure(promised.estimate?.auc)} of themselves.` : ''}`,
    note: html`${ripening(view)}${bias(last?.figures?.treated)}`,
  })
}

function ratePicture({ outcomes, axis, scores }: ModelView) {
  const last = outcomes.findLast((night) => night?.figures?.realized?.value != null)
  const regression = outcomes.some((night) => night?.figures?.kind === 'regression')
  const said = (value: number | null | undefined) =>
    value == null ? '' : regression ? figure(value) : percent(value)
  const chart = realizedAgainstPredicted(axis, {
    realized: outcomes.map((night) => night?.figures?.realized ?? { value: null, low: null, high: null }),
    predicted: outcomes.map(
      (night, index) => night?.figures?.predicted ?? scores[index]?.estimate?.rate ?? null,
    ),
    unit: regression ? 'figure' : 'share',
    immature: immatureOf(outcomes),
  })
  return picture(chart, {
    title: 'Realized and predicted',
    says:
      last === undefined
        ? html`What came true is not known for any night yet.`
        : html`${said(last.figures?.realized?.value)} came true on ${last.partition}, ${said(last.figures?.predicted)} was predicted.`,
    note: bias(last?.figures?.treated),
  })
}

function businessPictures({ outcomes, axis, model }: ModelView) {
  return (model.outcomes?.metrics ?? []).map(({ name, target }) => {
    const of = (night: OutcomeNight | undefined) =>
      night?.figures?.business.find((each) => each.name === name)
    const last = outcomes.findLast((night) => of(night)?.value != null)
    const failed = outcomes.findLast((night) => of(night)?.error != null)
    const newer = failed !== undefined && (last === undefined || failed.as_of > last.as_of)
    const chart = business(axis, {
      name,
      values: outcomes.map((night) => of(night)?.value ?? null),
      immature: immatureOf(outcomes),
      target: target === undefined ? undefined : { value: target, text: `target ${figure(target)}` },
    })
    return picture(chart, {
      title: name,
      says:
        last === undefined
          ? html`No figure yet.`
          : html`${figure(of(last)?.value)} on ${last.partition}${target === undefined ? '' : `; the target is ${figure(target)}`}.`,
      note: newer ? html`<p class="note">${failed.partition}: ${of(failed)?.error}</p>` : '',
    })
  })
}

/** Nights that are not measured, with the date from which they can be, and those that were under another horizon. */
function ripening({ outcomes, timezone, model }: ModelView) {
  const others = otherHorizons(
    outcomes.filter((night) => night !== undefined),
    model.labels?.horizon.text ?? '',
  )
  const immature = outcomes.filter((night) => night?.state === 'immature')
  const failed = outcomes.filter((night) => night?.state === 'failed')
  const [first, last] = [immature[0], immature.at(-1)]
  return html`${
    first === undefined
      ? ''
      : html`<p>${immature.length} ${immature.length === 1 ? 'night is' : 'nights are'} immature: ${first.partition} matures ${moment(first.matures_at, timezone)}${last === undefined || last === first ? '' : html`; the last of them, ${last.partition}, ${moment(last.matures_at, timezone)}`}.</p>`
  }${failed.length === 0 ? '' : html`<p class="note">${failed.length} could not be measured: ${failed.at(-1)?.partition}: ${failed.at(-1)?.note}</p>`}${others.map((said) => html`<p class="note">${said}.</p>`)}`
}

function metricOf({ outcomes }: ModelView): Metric {
  return outcomes.some((night) => night?.figures?.kind === 'regression') ? 'rmse' : 'auc'
}

function estimateOf(night: OutcomeNight | undefined, metric: Metric): Estimate {
  const interval = night?.figures?.intervals[metric]
  return {
    value: night?.figures?.metrics[metric] ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
  }
}

/** The last nights, from the first that is immature on. */
function immatureOf(outcomes: ModelView['outcomes']) {
  const from = outcomes.findLastIndex((night) => night?.state === 'measured' || night?.state === 'failed') + 1
  const first = outcomes.findIndex((night, index) => index >= from && night?.state === 'immature')
  return first === -1 ? undefined : { from: first, to: outcomes.length - 1 }
}

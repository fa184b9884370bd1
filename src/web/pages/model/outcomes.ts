import { html } from 'hono/html'
import { business, type Estimate, quality, realizedAgainstPredicted } from '../../../charts/outcome-charts.ts'
import { figure, interval } from '../../../format/numbers.ts'
import { percent } from '../../../format/shares.ts'
import { otherHorizons } from '../../../monitoring/outcomes/other-horizons.ts'
import type { OutcomeNight } from '../../../monitoring/outcomes/outcome-nights.ts'
import { unmeasured } from '../../../monitoring/outcomes/unmeasured-words.ts'
import { boundOf } from '../../../monitoring/required-bound.ts'
import type { Metric } from '../../../project/schema/metric.ts'
import { moment } from '../../moment.ts'
import { whyUnmeasured } from '../night/why-unmeasured.ts'
import { bias } from './bias.ts'
import type { ModelView } from './load.ts'
import { picture } from './picture.ts'

const NAMES: Partial<Record<Metric, string>> = { auc: 'AUC', rmse: 'RMSE' }

/** Realized outcomes of the scores: quality, rates and business figures. Empty if the model has no labels. */
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
  const bounds = interval(last?.figures?.intervals[metric])
  const range = bounds === '' ? '' : ` (95 %: ${bounds})`
  const estimated = metric === 'auc' ? scores.findLast((night) => night?.estimate?.auc != null) : undefined
  return picture(chart, {
    title: `${NAMES[metric] ?? metric}, measured`,
    sentence: html`${
      last === undefined
        ? 'None of these nights has been measured yet.'
        : html`${figure(last.figures?.metrics[metric])}${range} on ${last.partition}.`
    }${estimated === undefined ? '' : html` Estimated from the scores of ${estimated.partition} alone, before labels are known: ${figure(estimated.estimate?.auc)}.`}`,
    empty: last === undefined && estimated === undefined,
    note: html`${unmeasuredNotes(view)}${bias(last?.figures?.treated)}`,
  })
}

function ratePicture({ outcomes, axis, scores }: ModelView) {
  const last = outcomes.findLast((night) => night?.figures?.realized?.value != null)
  const regression = outcomes.some((night) => night?.figures?.kind === 'regression')
  const format = (value: number | null | undefined) =>
    value == null ? '' : regression ? figure(value) : percent(value)
  const predicted = outcomes.map(
    (night, index) => night?.figures?.predicted ?? scores[index]?.estimate?.rate ?? null,
  )
  const chart = realizedAgainstPredicted(axis, {
    realized: outcomes.map((night) => night?.figures?.realized ?? { value: null, low: null, high: null }),
    predicted,
    unit: regression ? 'figure' : 'share',
    immature: immatureOf(outcomes),
  })
  return picture(chart, {
    title: 'Realized and predicted',
    empty: last === undefined && predicted.every((value) => value === null),
    sentence:
      last === undefined
        ? html`No realized outcomes are known for these nights yet.`
        : html`${format(last.figures?.realized?.value)} was realized on ${last.partition}, ${format(last.figures?.predicted)} was predicted.`,
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
      empty: last === undefined,
      sentence:
        last === undefined
          ? html`There is no figure for these nights yet.`
          : html`${figure(of(last)?.value)} on ${last.partition}${target === undefined ? '' : `; the target is ${figure(target)}`}.`,
      note: newer ? html`<p class="note">${failed.partition}: ${of(failed)?.error}</p>` : '',
    })
  })
}

/**
 * Nights that are not measured, with the date from which they can be, or with what prevents it although that date has
 * passed; and nights that were measured under another horizon.
 */
function unmeasuredNotes(view: ModelView) {
  const { outcomes, timezone, model, now } = view
  const known = outcomes.filter((night) => night !== undefined)
  const others = otherHorizons(known, model.labels?.horizon.text ?? '')
  const immature = known.filter(({ state }) => state === 'immature')
  const failed = known.filter(({ state }) => state === 'failed')
  const ahead = immature.filter((night) => unmeasured(night, now, timezone) === undefined)
  const overdue = immature.filter((night) => !ahead.includes(night))
  return html`${overdueNote(overdue, view)}${aheadNote(ahead, timezone)}${failed.length === 0 ? '' : html`<p class="note">${failed.length} could not be measured: ${failed.at(-1)?.partition}: ${failed.at(-1)?.note}</p>`}${others.map((text) => html`<p class="note">${text}.</p>`)}`
}

function aheadNote(ahead: OutcomeNight[], timezone: string) {
  const [first, last] = [ahead[0], ahead.at(-1)]
  if (first === undefined || last === undefined) return ''
  const then =
    last === first ? '' : html`; the last of them, ${last.partition}, ${moment(last.matures_at, timezone)}`
  return html`<p>${nightsAre(ahead)} immature: ${first.partition} matures ${moment(first.matures_at, timezone)}${then}.</p>`
}

function overdueNote(overdue: OutcomeNight[], view: ModelView) {
  const [first, last] = [overdue[0], overdue.at(-1)]
  if (first === undefined || last === undefined) return ''
  const why = whyUnmeasured(first, view)
  return last === first
    ? html`<p class="note">${first.partition} is still immature although its maturity date has passed: ${why}.</p>`
    : html`<p class="note">${overdue.length} nights, ${first.partition} to ${last.partition}, are still immature although their maturity dates have passed. ${first.partition}: ${why}.</p>`
}

function nightsAre(nights: unknown[]): string {
  return nights.length === 1 ? '1 night is' : `${nights.length} nights are`
}

function metricOf({ outcomes }: ModelView): Metric {
  return outcomes.some((night) => night?.figures?.kind === 'regression') ? 'rmse' : 'auc'
}

function estimateOf(night: OutcomeNight | undefined, metric: Metric): Estimate {
  const { low, high } = night?.figures?.intervals[metric] ?? {}
  return {
    value: night?.figures?.metrics[metric] ?? null,
    low: low ?? null,
    high: high ?? null,
  }
}

/** The span from the first immature night after all measured and failed ones to the last night. */
function immatureOf(outcomes: ModelView['outcomes']) {
  const from = outcomes.findLastIndex((night) => night?.state === 'measured' || night?.state === 'failed') + 1
  const first = outcomes.findIndex((night, index) => index >= from && night?.state === 'immature')
  return first === -1 ? undefined : { from: first, to: outcomes.length - 1 }
}

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
  const bounds = interval(last?.figures?.intervals[metric])
  const range = bounds === '' ? '' : ` (95 %: ${bounds})`
  const estimated = metric === 'auc' ? scores.findLast((night) => night?.estimate?.auc != null) : undefined
  return picture(chart, {
    title: `${NAMES[metric] ?? metric}, measured`,
    says: html`${
      last === undefined
        ? 'None of these nights has been measured yet.'
        : html`${figure(last.figures?.metrics[metric])}${range} on ${last.partition}.`
    }${estimated === undefined ? '' : html` Estimated from the scores of ${estimated.partition} alone, before anything is known: ${figure(estimated.estimate?.auc)}.`}`,
    empty: last === undefined && estimated === undefined,
    note: html`${ripening(view)}${bias(last?.figures?.treated)}`,
  })
}

function ratePicture({ outcomes, axis, scores }: ModelView) {
  const last = outcomes.findLast((night) => night?.figures?.realized?.value != null)
  const regression = outcomes.some((night) => night?.figures?.kind === 'regression')
  const said = (value: number | null | undefined) =>
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
    says:
      last === undefined
        ? html`What came true is not known for any of these nights yet.`
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
      empty: last === undefined,
      says:
        last === undefined
          ? html`There is no figure for any of these nights yet.`
          : html`${figure(of(last)?.value)} on ${last.partition}${target === undefined ? '' : `; the target is ${figure(target)}`}.`,
      note: newer ? html`<p class="note">${failed.partition}: ${of(failed)?.error}</p>` : '',
    })
  })
}

/**
 * Nights that are not measured: with the date from which they can be, or with what keeps them although it has passed;
 * and those that were measured under another horizon.
 */
function ripening({ outcomes, timezone, model, now }: ModelView) {
  const known = outcomes.filter((night) => night !== undefined)
  const others = otherHorizons(known, model.labels?.horizon.text ?? '')
  const immature = known.filter(({ state }) => state === 'immature')
  const failed = known.filter(({ state }) => state === 'failed')
  const ahead = immature.filter((night) => unmeasured(night, now, timezone) === undefined)
  const kept = immature.filter((night) => !ahead.includes(night))
  return html`${keptNote(kept, now, timezone)}${aheadNote(ahead, timezone)}${failed.length === 0 ? '' : html`<p class="note">${failed.length} could not be measured: ${failed.at(-1)?.partition}: ${failed.at(-1)?.note}</p>`}${others.map((said) => html`<p class="note">${said}.</p>`)}`
}

function aheadNote(ahead: OutcomeNight[], timezone: string) {
  const [first, last] = [ahead[0], ahead.at(-1)]
  if (first === undefined || last === undefined) return ''
  const then =
    last === first ? '' : html`; the last of them, ${last.partition}, ${moment(last.matures_at, timezone)}`
  return html`<p>${nightsAre(ahead)} immature: ${first.partition} matures ${moment(first.matures_at, timezone)}${then}.</p>`
}

function keptNote(kept: OutcomeNight[], now: Date, timezone: string) {
  const [first, last] = [kept[0], kept.at(-1)]
  if (first === undefined || last === undefined) return ''
  const why = unmeasured(first, now, timezone)
  return last === first
    ? html`<p class="note">${first.partition} is immature although its time has come: ${why}.</p>`
    : html`<p class="note">${kept.length} nights, ${first.partition} to ${last.partition}, are immature although their time has come. Of ${first.partition}: ${why}.</p>`
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

/** The last nights, from the first that is immature on. */
function immatureOf(outcomes: ModelView['outcomes']) {
  const from = outcomes.findLastIndex((night) => night?.state === 'measured' || night?.state === 'failed') + 1
  const first = outcomes.findIndex((night, index) => index >= from && night?.state === 'immature')
  return first === -1 ? undefined : { from: first, to: outcomes.length - 1 }
}

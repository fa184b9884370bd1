import { figure } from '../format/numbers.ts'
import type { Model } from '../project/project.ts'
import { LESS_IS_BETTER, METRICS, type Metric } from '../project/schema/metric.ts'

/** The bound that model.yaml sets for a figure. */
export interface Bound {
  value: number
  side: 'at least' | 'at most'
  /** Label of its line in a picture. */
  text: string
}

/** A bound on whose other side the scores are worse than required. */
export interface QualityBound {
  metric: Metric
  value: number
  side: Bound['side']
  /** The keys of model.yaml that set it. */
  declared: string
}

type Limits = Pick<Model, 'retrain' | 'evaluation'>

/** The bounds on the quality of scores, in the order of the metrics. One that forbids a figure too good is none of quality. */
export function qualityBounds(limits: Limits): QualityBound[] {
  return METRICS.flatMap((metric) => qualityBoundOf(limits, metric) ?? [])
}

/** `retrain.when.auc_below`, else the bound in `evaluation.require`: the least value, or the most where less is better. */
function qualityBoundOf({ retrain, evaluation }: Limits, metric: Metric): QualityBound | undefined {
  const below = metric === 'auc' ? retrain?.when.auc_below : undefined
  if (below !== undefined)
    return { metric, value: below, side: 'at least', declared: 'retrain.when.auc_below' }
  const key = LESS_IS_BETTER.has(metric) ? 'max' : 'min'
  const value = evaluation.require[metric]?.[key]
  const side = key === 'max' ? 'at most' : 'at least'
  return value === undefined
    ? undefined
    : { metric, value, side, declared: `evaluation.require.${metric}.${key}` }
}

/** Whether a figure keeps a bound. */
export function keeps(value: number, bound: Pick<Bound, 'value' | 'side'>): boolean {
  return bound.side === 'at least' ? value >= bound.value : value <= bound.value
}

/** The bound that a figure is shown with: that of its quality, else the other one; undefined if there is none. */
export function boundOf(limits: Limits, metric: Metric): Bound | undefined {
  const quality = qualityBoundOf(limits, metric)
  if (quality?.declared === 'retrain.when.auc_below') {
    return { value: quality.value, side: 'at least', text: `retrained below ${figure(quality.value)}` }
  }
  const { min, max } = limits.evaluation.require[metric] ?? {}
  if (min !== undefined && quality?.side !== 'at most')
    return { value: min, side: 'at least', text: `required ${figure(min)}` }
  return max === undefined ? undefined : { value: max, side: 'at most', text: `at most ${figure(max)}` }
}

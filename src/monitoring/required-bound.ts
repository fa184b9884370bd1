import { figure } from '../format/numbers.ts'
import type { Model } from '../project/project.ts'
import type { Metric } from '../project/schema/metric.ts'

/** The bound that model.yaml sets for a figure. */
export interface Bound {
  value: number
  side: 'at least' | 'at most'
  /** Label of its line in a picture. */
  text: string
}

/**
 * The bound of a figure: `retrain.when.auc_below`, else the one in `evaluation.require`; undefined if there is none.
 */
export function boundOf(
  { retrain, evaluation }: Pick<Model, 'retrain' | 'evaluation'>,
  metric: Metric,
): Bound | undefined {
  const below = metric === 'auc' ? retrain?.when.auc_below : undefined
  if (below !== undefined) return { value: below, side: 'at least', text: `retrained below ${figure(below)}` }
  const { min, max } = evaluation.require[metric] ?? {}
  if (min !== undefined) return { value: min, side: 'at least', text: `required ${figure(min)}` }
  return max === undefined ? undefined : { value: max, side: 'at most', text: `at most ${figure(max)}` }
}

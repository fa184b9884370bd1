import { figure } from '../format/numbers.ts'
import type { Model } from '../project/project.ts'
import type { Metric } from '../project/schema/metric.ts'

/** What model.yaml asks of a figure. */
export interface Bound {
  value: number
  side: 'at least' | 'at most'
  /** Beside the line of a picture. */
  text: string
}

/** Where a figure stops being good: `retrain.when.auc_below`, else what `evaluation.require` says; undefined: nobody says. */
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

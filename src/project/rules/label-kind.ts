import { CLASSIFICATION, type Metric, REGRESSION } from '../schema/metric.ts'

/**
 * What a model predicts, as far as model.yaml declares it:
 * - `number`: its evaluation requires a metric of numbers, or its score may be outside 0 to 1
 * - `classes`: its evaluation requires a metric of two classes, or its score is between 0 and 1
 * - `unsaid`: neither
 */
export type LabelKind = 'classes' | 'number' | 'unsaid'

export function labelKind(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  require: Partial<Record<Metric, unknown>>,
): LabelKind {
  if (REGRESSION.some((metric) => require[metric] !== undefined)) return 'number'
  if (CLASSIFICATION.some((metric) => require[metric] !== undefined)) return 'classes'
  if (min !== undefined && max !== undefined && min >= 0 && max <= 1) return 'classes'
  return (min ?? 0) < 0 || (max ?? 1) > 1 ? 'number' : 'unsaid'
}

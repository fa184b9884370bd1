import type { ScoreColumn } from '../../project/project.ts'
import type { ModelOutput } from '../onnx/inspect.ts'

/**
 * A constant of model.yaml as a number that scores of this output can be compared with. Scores are published as DOUBLE,
 * and 0.7 of a FLOAT output is 0.699999988: what meets 0.7 there has to be compared with FLOAT's own 0.7.
 */
export function comparable(constant: number, { type }: Pick<ModelOutput, 'type'>): number {
  return type === 'float32' ? Math.fround(constant) : constant
}

/** Scores at or over it are decided for; undefined where the model has no threshold. */
export function thresholdOf(
  { threshold }: Pick<ScoreColumn, 'threshold'>,
  output: Pick<ModelOutput, 'type'>,
): number | undefined {
  return threshold === undefined ? undefined : comparable(threshold, output)
}

/**
 * float32 arithmetic may leave a probability one bit past 1. So much (of the bound, or of 1 where that is larger)
 * is no broken promise.
 */
const ROUNDING = 1e-6

/** The lowest and highest score that counts as within the model's bounds. */
export function bounds(
  { min, max }: Pick<ScoreColumn, 'min' | 'max'>,
  output: Pick<ModelOutput, 'type'>,
): { low: number; high: number } {
  const slack = (bound: number) => ROUNDING * Math.max(1, Math.abs(bound))
  return {
    low: min === undefined ? Number.NEGATIVE_INFINITY : comparable(min, output) - slack(min),
    high: max === undefined ? Number.POSITIVE_INFINITY : comparable(max, output) + slack(max),
  }
}

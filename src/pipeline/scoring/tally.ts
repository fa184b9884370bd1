import type { ScoreColumn } from '../../project/project.ts'
import type { ModelOutput } from '../onnx/inspect.ts'
import { bounds, thresholdOf } from './score-threshold.ts'

/** What is known of scores after one pass over them. */
export interface Tally {
  rows: number
  /** Of the finite scores; undefined where there are none. */
  mean: number | undefined
  min: number | undefined
  max: number | undefined
  notFinite: number
  outside: number
  /** Rows at or over the threshold; undefined where there is none. */
  positive: number | undefined
}

/** Adds scores up, row by row in their order, so that the mean is the same for whatever size of batch. */
export function openTally(
  column: ScoreColumn,
  output: Pick<ModelOutput, 'type'>,
): { add(scores: Float64Array): void; total(): Tally } {
  const { low, high } = bounds(column, output)
  const threshold = thresholdOf(column, output)
  let rows = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let notFinite = 0
  let outside = 0
  let positive = 0
  return {
    add(scores) {
      rows += scores.length
      for (const score of scores) {
        if (!Number.isFinite(score)) {
          notFinite++
          continue
        }
        sum += score
        if (score < min) min = score
        if (score > max) max = score
        if (score < low || score > high) outside++
        if (threshold !== undefined && score >= threshold) positive++
      }
    },
    total() {
      const finite = rows - notFinite
      return {
        rows,
        mean: finite === 0 ? undefined : sum / finite,
        min: finite === 0 ? undefined : min,
        max: finite === 0 ? undefined : max,
        notFinite,
        outside,
        positive: threshold === undefined ? undefined : positive,
      }
    },
  }
}

/** What is worth a word although it breaks no promise. */
export function suspicions({ rows, min, max }: Tally): string[] {
  if (rows < 2 || min === undefined || min !== max) return []
  return [
    `all ${rows} rows have the score ${min}: are the columns those that the model was trained on, in that order?`,
  ]
}

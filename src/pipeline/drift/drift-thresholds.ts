import { quantile } from '../evaluation/bootstrap.ts'
import type { ThresholdFrom } from './drift-figures.ts'
import { total } from './psi.ts'

/** What a statistic has to exceed, and where that is from. */
export interface Threshold {
  from: ThresholdFrom
  threshold: number
}

/** The largest; 0 as `min_effect` where there is none above it. */
export function largest(candidates: { from: ThresholdFrom; threshold: number | undefined }[]): Threshold {
  let best: Threshold = { from: 'min_effect', threshold: 0 }
  for (const { from, threshold } of candidates)
    if (threshold !== undefined && threshold > best.threshold) best = { from, threshold }
  return best
}

/**
 * The 99th percentile of a figure between each part and the other parts together, undefined where there are not two.
 */
export function betweenParts(
  parts: Float64Array[],
  figure: (rest: Float64Array, part: Float64Array) => number,
): number | undefined {
  const filled = parts.filter((part) => total(part) > 0)
  const [first] = filled
  if (first === undefined || filled.length < 2) return undefined
  const all = first.map((_, bin) => filled.reduce((sum, part) => sum + (part[bin] ?? 0), 0))
  const values = filled.map((part) =>
    figure(
      all.map((count, bin) => count - (part[bin] ?? 0)),
      part,
    ),
  )
  return quantile(
    values.sort((a, b) => a - b),
    0.99,
  )
}

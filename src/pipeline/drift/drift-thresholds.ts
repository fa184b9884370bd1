import { quantile } from '../evaluation/bootstrap.ts'
import type { ThresholdFrom } from './drift-figures.ts'
import { shrunken, smoothed } from './part-shares.ts'
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
 * The 99th percentile of a figure between each part and the other parts together, undefined where there are not two. What
 * the parts differ by chance alone is taken out first: parts of 60 rows would hide whatever a night of thousands has.
 */
export function betweenParts(
  parts: Float64Array[],
  figure: (rest: Float64Array, part: Float64Array) => number,
): number | undefined {
  const filled = parts.filter((part) => total(part) > 0)
  const [first] = filled
  if (first === undefined || filled.length < 2) return undefined
  const sums = (each: Float64Array[]) =>
    first.map((_, bin) => each.reduce((sum, part) => sum + (part[bin] ?? 0), 0))
  const settled = shrunken(smoothed(sums(filled)), filled).map((shares, index) => {
    const rows = total(filled[index] ?? first)
    return shares.map((share) => share * rows)
  })
  const all = sums(settled)
  const values = settled.map((part) =>
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

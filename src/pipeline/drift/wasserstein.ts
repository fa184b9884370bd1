import type { NumberProfile } from '../profile/profile.ts'
import { cumulative } from './kolmogorov-smirnov.ts'

/** Values with weights; without weights each counts once. */
export interface WeightedSample {
  values: number[]
  weights?: number[]
}

/**
 * First Wasserstein distance of two samples, exactly: the area between their distribution functions (Ramdas, Garcia and
 * Cuturi 2015; scipy's `wasserstein_distance`).
 */
export function wasserstein(u: WeightedSample, v: WeightedSample): number {
  const points = [...pointsOf(u, 1), ...pointsOf(v, -1)].sort((a, b) => a.value - b.value)
  let area = 0
  let difference = 0
  for (const [index, { value, weight }] of points.entries()) {
    area += Math.abs(difference) * (value - (points[index - 1]?.value ?? value))
    difference += weight
  }
  return area
}

function pointsOf({ values, weights }: WeightedSample, sign: number): { value: number; weight: number }[] {
  const sum = weights?.reduce((total, weight) => total + weight, 0) ?? values.length
  return values.map((value, index) => ({ value, weight: (sign * (weights?.[index] ?? 1)) / sum }))
}

/**
 * The distance of two profiles on the same edges, in units of the column; null where one has no values. Both
 * distribution functions are known at the edges and the extremes, and are taken to be straight between: that is off by
 * at most the sum over bins of width x the larger share in it. It is never less than the difference of the means.
 */
export function wassersteinOfProfiles(a: NumberProfile, b: NumberProfile): number | null {
  if (a.min === null || b.min === null || a.max === null || b.max === null) return null
  const low = Math.min(a.min, b.min)
  const high = Math.max(a.max, b.max)
  const edges = [low, ...a.edges.map((edge) => Math.min(high, Math.max(low, edge))), high]
  const [f, g] = [cumulative(a.counts), cumulative(b.counts)]
  const differences = [0, ...f.map((share, bin) => share - (g[bin] ?? 0))]
  let area = 0
  for (let bin = 0; bin + 1 < edges.length; bin++) {
    const width = (edges[bin + 1] ?? 0) - (edges[bin] ?? 0)
    area += width * meanOfLine(differences[bin] ?? 0, differences[bin + 1] ?? 0)
  }
  return Math.max(area, Math.abs((a.mean ?? 0) - (b.mean ?? 0)))
}

/** The same over the standard deviation of the first; null where that is 0 and they differ. */
export function wassersteinOverDeviation(a: NumberProfile, b: NumberProfile): number | null {
  const area = wassersteinOfProfiles(a, b)
  if (area === null || area === 0) return area
  return a.sd === null || a.sd === 0 ? null : area / a.sd
}

/** Mean of |x| along the line from `a` to `b`. */
function meanOfLine(a: number, b: number): number {
  if (a * b >= 0) return Math.abs(a + b) / 2
  return (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)))
}

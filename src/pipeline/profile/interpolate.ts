import { QUANTILES } from './profile.ts'

/**
 * Quantiles of values that are known by their histogram: within a bin they are taken to lie evenly, so that each is off
 * by less than the width of its bin. `counts` has one more than `edges`; min and max close the outer bins.
 */
export function interpolate(edges: number[], counts: number[], min: number, max: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return QUANTILES.map((p) => {
    const wanted = p * total
    let below = 0
    for (const [bin, count] of counts.entries()) {
      if (count > 0 && below + count >= wanted) {
        const low = Math.max(min, edges[bin - 1] ?? min)
        const high = Math.min(max, edges[bin] ?? max)
        return low + (Math.max(low, high) - low) * Math.min(1, Math.max(0, (wanted - below) / count))
      }
      below += count
    }
    return max
  })
}

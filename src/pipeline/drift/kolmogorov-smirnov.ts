import type { NumberProfile } from '../profile/profile.ts'
import { total } from './psi.ts'

/** `greater`: the first sample's distribution function lies above the second's. */
export type Alternative = 'two-sided' | 'greater' | 'less'

/** Beyond this the exact count of paths takes too long (as scipy has it). */
const EXACT = 10_000

/**
 * Two-sample Kolmogorov-Smirnov test: D, the largest distance of the empirical distribution functions, and its p: exact
 * up to 10,000 values a side, by counting lattice paths (Schröer and Trenkler 1995, as R's `psmirnov`), beyond that by the
 * limiting distribution with Stephens' correction (1970). As scipy's `ks_2samp`.
 */
export function kolmogorovSmirnov(
  x: number[],
  y: number[],
  alternative: Alternative = 'two-sided',
): { d: number; p: number } {
  const [a, b] = [Float64Array.from(x).sort(), Float64Array.from(y).sort()]
  let [i, j, above, below] = [0, 0, 0, 0]
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0)
    while (i < a.length && a[i] === value) i++
    while (j < b.length && b[j] === value) j++
    const difference = i / a.length - j / b.length
    above = Math.max(above, difference)
    below = Math.max(below, -difference)
  }
  const d = alternative === 'greater' ? above : alternative === 'less' ? below : Math.max(above, below)
  return { d, p: pOf(d, a.length, b.length, alternative === 'two-sided') }
}

function pOf(d: number, m: number, n: number, twoSided: boolean): number {
  if (Math.max(m, n) <= EXACT) return Math.min(1, Math.max(0, 1 - inside(d, m, n, twoSided)))
  const root = Math.sqrt((m * n) / (m + n))
  if (!twoSided) return Math.exp(-2 * (root * d) ** 2)
  const scaled = (root + 0.12 + 0.11 / root) * d
  // The series converges too slowly there, and is 1 to 12 digits.
  if (scaled < 0.2) return 1
  let p = 0
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * scaled) ** 2)
  return Math.min(1, Math.max(0, p))
}

/** Probability that D of samples of one distribution stays below `d`. */
function inside(d: number, m: number, n: number, twoSided: boolean): number {
  // Half a step below d, so that rounding cannot decide which paths touch it.
  const bound = (0.5 + Math.floor(d * m * n - 1e-7)) / (m * n)
  const outside = (i: number, j: number) => {
    const difference = i / m - j / n
    return (twoSided ? Math.abs(difference) : difference) > bound
  }
  const paths = Float64Array.from({ length: n + 1 }, (_, j) => (outside(0, j) ? 0 : 1))
  for (let j = 1; j <= n; j++) if (paths[j - 1] === 0) paths[j] = 0
  for (let i = 1; i <= m; i++) {
    const weight = i / (i + n)
    paths[0] = outside(i, 0) ? 0 : weight * (paths[0] ?? 0)
    for (let j = 1; j <= n; j++) paths[j] = outside(i, j) ? 0 : weight * (paths[j] ?? 0) + (paths[j - 1] ?? 0)
  }
  return paths[n] ?? 0
}

/**
 * D of two profiles on the same edges: the largest distance at an edge. The true one is at most the largest share of a
 * bin larger, which is about 0.01 where the edges are 99 quantiles. Null where one has no values.
 */
export function ksOfProfiles(a: NumberProfile, b: NumberProfile): number | null {
  if (total(a.counts) === 0 || total(b.counts) === 0) return null
  const g = cumulative(b.counts)
  return cumulative(a.counts).reduce((max, share, bin) => Math.max(max, Math.abs(share - (g[bin] ?? 0))), 0)
}

/** Shares up to the end of each bin. */
export function cumulative(counts: number[]): number[] {
  const rows = total(counts)
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum / rows
  })
}

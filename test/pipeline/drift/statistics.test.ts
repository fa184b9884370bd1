import { describe, expect, test } from 'vitest'
import { discoveries } from '../../../src/pipeline/drift/benjamini-hochberg.ts'
import { binomial, multinomial } from '../../../src/pipeline/drift/binomial.ts'
import { distanceOfPsi, jensenShannon } from '../../../src/pipeline/drift/jensen-shannon.ts'
import { kolmogorovSmirnov, ksOfProfiles } from '../../../src/pipeline/drift/kolmogorov-smirnov.ts'
import { psi } from '../../../src/pipeline/drift/psi.ts'
import { leastRateDistance, rateDistance } from '../../../src/pipeline/drift/rates.ts'
import { wasserstein, wassersteinOfProfiles } from '../../../src/pipeline/drift/wasserstein.ts'
import { openRandom } from '../../../src/pipeline/evaluation/bootstrap.ts'
import { EDGE_QUANTILES, edgesOf } from '../../../src/pipeline/profile/edges.ts'
import { numberProfile } from './number-profile.ts'

function normals(count: number, random: () => number, mean = 0, sd = 1): number[] {
  return Array.from(
    { length: count },
    () => mean + sd * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

function percentiles(values: number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b)
  return EDGE_QUANTILES.map((p) => sorted[Math.floor(p * (sorted.length - 1))] ?? 0)
}

describe('statistics of counts', () => {
  test('PSI by hand, the same either way, and zero for the same shares', () => {
    const expected = (0.25 - 0.5) * Math.log(0.25 / 0.5) + (0.75 - 0.5) * Math.log(0.75 / 0.5)
    expect(psi([50, 50], [25, 75])).toBeCloseTo(expected, 14)
    expect(psi([25, 75], [50, 50])).toBeCloseTo(expected, 14)
    expect(psi([10, 20, 30], [100, 200, 300])).toBeCloseTo(0, 14)
    expect(psi([0, 0], [1, 2])).toBeNaN()
  })

  test('Jensen-Shannon as scipy documents it: jensenshannon([1, 0, 0], [0, 1, 0], 2.0) = 1, [1, 0] with [0.5, 0.5] = 0.5579', () => {
    expect(jensenShannon([1, 0, 0], [0, 1, 0])).toBeCloseTo(1, 14)
    // 0.46450140402245893 in nats, over the root of ln 2.
    expect(jensenShannon([1, 0], [0.5, 0.5])).toBeCloseTo(0.46450140402245893 / Math.sqrt(Math.LN2), 12)
    expect(jensenShannon([1, 0, 0], [1, 0, 0])).toBe(0)
  })

  test('a small difference is as far by either statistic', () => {
    const [a, b] = [
      [1000, 1000, 1000, 1000],
      [1100, 950, 900, 1050],
    ]
    expect(jensenShannon(a, b)).toBeCloseTo(distanceOfPsi(psi(a, b)), 3)
    expect(distanceOfPsi(0.1)).toBeCloseTo(0.134, 3)
  })

  test('rates: nothing to 1 %, 5 to 10.2 % and 50 to 60 % are the small effect', () => {
    for (const [p, q] of [
      [0, 0.01],
      [0.05, 0.102],
      [0.5, 0.6],
    ] as const)
      expect(rateDistance(p, q)).toBeCloseTo(leastRateDistance(0.1), 2)
  })

  test('Benjamini and Hochberg’s own example: the four smallest of fifteen', () => {
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
      0.759, 1,
    ]
    expect(discoveries(p, 0.05)).toEqual(p.map((_, index) => index < 4))
    expect(discoveries([], 0.05)).toEqual([])
  })

  test('draws have the mean and the variance of a binomial, by inversion and by rejection', () => {
    const random = openRandom(3)
    for (const [n, p] of [
      [100, 0.02],
      [100, 0.5],
      [1000, 0.3],
      [1_000_000, 0.9],
      [125_000, 0.00001],
    ] as const) {
      const draws = Array.from({ length: 20_000 }, () => binomial(n, p, random))
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length
      const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length
      const expected = n * p * (1 - p)
      expect(Math.abs(mean - n * p), `mean of ${n}, ${p}`).toBeLessThan(
        4 * Math.sqrt(expected / draws.length),
      )
      expect(variance / expected, `variance of ${n}, ${p}`).toBeCloseTo(1, 1)
    }
    const counts = new Float64Array(4)
    multinomial(1000, [0.1, 0, 0.6, 0.3], counts, random)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000)
    expect(counts[1]).toBe(0)
  })
})

describe('profiles against the samples themselves', () => {
  test('KS and Wasserstein are as near as their docstrings say', () => {
    const random = openRandom(11)
    for (const [mean, sd] of [
      [0, 1],
      [0.3, 1],
      [0, 1.5],
      [2, 0.5],
    ] as const) {
      const [a, b] = [normals(4000, random), normals(3000, random, mean, sd)]
      const edges = edgesOf(percentiles(a))
      const [before, now] = [numberProfile(a, edges), numberProfile(b, edges)]
      const { d } = kolmogorovSmirnov(a, b)
      const ks = ksOfProfiles(before, now) ?? Number.NaN
      const largest = Math.max(...before.counts.map((count) => count / 4000))
      expect(ks).toBeLessThanOrEqual(d + 1e-12)
      expect(d - ks).toBeLessThanOrEqual(Math.max(largest, ...now.counts.map((count) => count / 3000)))

      const exact = wasserstein({ values: a }, { values: b })
      const area = wassersteinOfProfiles(before, now) ?? Number.NaN
      const [low, high] = [Math.min(...a, ...b), Math.max(...a, ...b)]
      const points = [low, ...edges, high]
      const bound = before.counts.reduce((sum, count, bin) => {
        const width = (points[bin + 1] ?? 0) - (points[bin] ?? 0)
        return sum + width * Math.max(count / 4000, (now.counts[bin] ?? 0) / 3000)
      }, 0)
      expect(Math.abs(area - exact)).toBeLessThanOrEqual(bound)
      if (sd === 1) expect(Math.abs(area - exact)).toBeLessThan(0.02)
    }
  })

  test('a constant that moves is as far as it moved', () => {
    const edges = edgesOf(percentiles([5, 5, 5, 5]))
    const [before, now] = [numberProfile([5, 5, 5, 5], edges), numberProfile([7, 7], edges)]
    expect(wassersteinOfProfiles(before, now)).toBe(2)
    expect(ksOfProfiles(before, now)).toBe(1)
    expect(ksOfProfiles(before, numberProfile([], edges))).toBeNull()
  })

  test('beyond 10,000 values p comes from the limit, near the exact one', () => {
    const random = openRandom(2)
    const [a, b] = [normals(9000, random), normals(9000, random, 0.03)]
    const exact = kolmogorovSmirnov(a, b).p
    const many = kolmogorovSmirnov(
      [...a, ...a].map((value, index) => value + index * 1e-12),
      [...b, ...b].map((value, index) => value + index * 1e-12),
    )
    expect(many.d).toBeCloseTo(kolmogorovSmirnov(a, b).d, 3)
    expect(many.p).toBeLessThan(exact)
    // sqrt(n) D = 95 x 0.0137: the limit's series, computed apart.
    const root = Math.sqrt(9000)
    const scaled = (root + 0.12 + 0.11 / root) * many.d
    let limit = 0
    for (let k = 1; k < 50; k++) limit += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * scaled * scaled)
    expect(many.p).toBeCloseTo(limit, 10)
  })
})

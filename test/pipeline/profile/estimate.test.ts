import { expect, test } from 'vitest'
import { openRandom } from '../../../src/pipeline/evaluation/bootstrap.ts'
import { classify, orderOf } from '../../../src/pipeline/evaluation/metrics.ts'
import { EDGE_QUANTILES, edgesOf } from '../../../src/pipeline/profile/edges.ts'
import { estimateQuality } from '../../../src/pipeline/profile/estimate.ts'
import { numberProfile } from '../drift/number-profile.ts'

test('calibrated scores promise the AUC and the rate that simulated labels then have', () => {
  const random = openRandom(5)
  for (const power of [1, 3, 6]) {
    const scores = Array.from({ length: 20_000 }, () => random() ** power)
    const labels = scores.map((score) => (random() < score ? 1 : 0))
    const sorted = scores.toSorted((a, b) => a - b)
    const edges = edgesOf(EDGE_QUANTILES.map((p) => sorted[Math.floor(p * (sorted.length - 1))] ?? 0))
    const estimate = estimateQuality(numberProfile(scores, edges))
    const sample = { scores: Float64Array.from(scores), labels: Float64Array.from(labels) }
    const { auc } = classify(sample, orderOf(sample.scores), 0.1)
    expect(estimate?.auc).toBeCloseTo(auc ?? 0, 1)
    expect(Math.abs((estimate?.auc ?? 0) - (auc ?? 0))).toBeLessThan(0.01)
    const rate = labels.reduce((sum: number, label) => sum + label, 0) / labels.length
    expect(Math.abs((estimate?.rate ?? 0) - rate)).toBeLessThan(0.01)
  }
})

test('scores that are no probabilities promise nothing, and a constant no order', () => {
  expect(estimateQuality(numberProfile([0.2, 1.2], [0.5]))).toBeUndefined()
  expect(estimateQuality(numberProfile([], []))).toBeUndefined()
  expect(estimateQuality(numberProfile([0.3, 0.3], [0.3, 0.30000000000000004]))).toEqual({
    auc: 0.5,
    rate: 0.3,
  })
  expect(estimateQuality(numberProfile([0, 0], []))).toEqual({ auc: null, rate: 0 })
})

import { describe, expect, test } from 'vitest'
import { intervals, openRandom, quantile, resample } from '../../../src/pipeline/evaluation/bootstrap.ts'
import {
  calibration,
  classify,
  confusion,
  orderOf,
  regress,
} from '../../../src/pipeline/evaluation/metrics.ts'
import { checkRequirements } from '../../../src/pipeline/evaluation/require.ts'

function sampleOf(labels: number[], scores: number[]) {
  const sample = { labels: Float64Array.from(labels), scores: Float64Array.from(scores) }
  return { sample, order: orderOf(sample.scores) }
}

/** Every pair of a positive and a negative, as the definition has it. */
function slowAuc(labels: number[], scores: number[]): number {
  let pairs = 0
  let wins = 0
  for (const [i, a] of labels.entries())
    for (const [j, b] of labels.entries())
      if (a === 1 && b === 0) {
        pairs++
        const difference = (scores[i] ?? 0) - (scores[j] ?? 0)
        wins += difference > 0 ? 1 : difference === 0 ? 0.5 : 0
      }
  return wins / pairs
}

describe('figures of scikit-learn’s own documentation', () => {
  const { sample, order } = sampleOf([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
  const figures = classify(sample, order, 0.5)
  test('roc_auc_score: 0.75', () => expect(figures.auc).toBe(0.75))
  test('average_precision_score: 0.83', () => expect(figures.average_precision).toBeCloseTo(0.8333333, 6))
  test('brier_score_loss: 0.037', () => {
    const { sample, order } = sampleOf([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3])
    expect(classify(sample, order, 0.5).brier).toBeCloseTo(0.0375, 12)
  })
  test('log_loss: 0.21616', () => {
    const { sample, order } = sampleOf([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65])
    expect(classify(sample, order, 0.5).log_loss).toBeCloseTo(0.21616, 5)
  })
  test('mean_squared_error 0.375, mean_absolute_error 0.5, r2_score 0.948', () => {
    const { sample, order } = sampleOf([3, -0.5, 2, 7], [2.5, 0, 2, 8])
    const { rmse, mae, r2 } = regress(sample, order)
    expect((rmse ?? 0) ** 2).toBeCloseTo(0.375, 12)
    expect(mae).toBe(0.5)
    expect(r2).toBeCloseTo(0.9486081, 6)
  })
})

describe('by the definition', () => {
  test('the AUC is the share of pairs, with many ties too, and weights are copies of rows', () => {
    const random = openRandom(7)
    for (let round = 0; round < 20; round++) {
      const labels = Array.from({ length: 60 }, () => (random() < 0.3 ? 1 : 0))
      const scores = labels.map((label) => Math.round((random() + label * 0.3) * 8) / 16)
      labels[0] = 1
      labels[1] = 0
      const { sample, order } = sampleOf(labels, scores)
      expect(classify(sample, order, 0.1).auc).toBeCloseTo(slowAuc(labels, scores), 12)

      const weights = Uint32Array.from(labels, () => Math.floor(random() * 4))
      const copies = labels.flatMap((label, row) =>
        Array.from({ length: weights[row] ?? 0 }, () => ({ label, score: scores[row] ?? 0 })),
      )
      const copied = sampleOf(
        copies.map(({ label }) => label),
        copies.map(({ score }) => score),
      )
      const weighted = classify(sample, order, 7, weights)
      for (const [metric, value] of Object.entries(classify(copied.sample, copied.order, 7))) {
        expect(Reflect.get(weighted, metric), metric).toBeCloseTo(Number(value), 10)
      }
    }
  })

  test('a tie at the border of k counts in proportion, and a k beyond all rows is all rows', () => {
    const { sample, order } = sampleOf([1, 1, 0, 0, 0, 0], [0.9, 0.5, 0.5, 0.5, 0.5, 0.1])
    expect(classify(sample, order, 3).precision_at_k).toBeCloseTo((1 + 2 * 0.25) / 3, 12)
    expect(classify(sample, order, 3).lift_at_k).toBeCloseTo(1.5, 12)
    expect(classify(sample, order, 99).precision_at_k).toBeCloseTo(1 / 3, 12)
    expect(classify(sample, order, 0.5).precision_at_k).toBeCloseTo(0.5, 12)
  })

  test('of one class there is no AUC, and of no rows nothing', () => {
    const one = sampleOf([1, 1], [0.2, 0.4])
    expect(classify(one.sample, one.order, 0.5)).toMatchObject({
      auc: null,
      average_precision: 1,
      lift_at_k: 1,
    })
    const none = sampleOf([0, 0], [0.2, 0.4])
    expect(classify(none.sample, none.order, 0.5)).toMatchObject({
      auc: null,
      average_precision: null,
      lift_at_k: null,
    })
    expect(classify(one.sample, new Uint32Array(0), 0.5).auc).toBeNull()
  })

  test('scores of 0 and 1 that are wrong cost much, not everything', () => {
    const { sample, order } = sampleOf([1, 0], [0, 1])
    expect(classify(sample, order, 0.5).log_loss).toBeCloseTo(-Math.log(Number.EPSILON), 6)
  })

  test('calibration bins and the confusion at the threshold', () => {
    const { sample } = sampleOf([0, 1, 1, 0], [0.05, 0.95, 1, 0.5])
    const bins = calibration(sample)
    expect(bins[0]).toMatchObject({ rows: 1, realized: 0 })
    expect(bins[9]).toMatchObject({ rows: 2, realized: 1 })
    expect(bins[3]).toMatchObject({ rows: 0, mean_score: null })
    expect(confusion(sample, 0.5)).toMatchObject({
      true_positive: 2,
      false_positive: 1,
      true_negative: 1,
      false_negative: 0,
    })
  })
})

describe('intervals', () => {
  test('resample entities whole: an interval of twins is as wide as of one each', () => {
    const width = (copies: number) => {
      const random = openRandom(3)
      const labels: number[] = []
      const scores: number[] = []
      const entities: number[] = []
      const draw = openRandom(11)
      for (let entity = 0; entity < 150; entity++) {
        const label = draw() < 0.4 ? 1 : 0
        const score = draw() * 0.7 + label * 0.2
        for (let copy = 0; copy < copies; copy++) {
          labels.push(label)
          scores.push(score)
          entities.push(entity)
        }
      }
      const { sample, order } = sampleOf(labels, scores)
      const drawn = Array.from({ length: 400 }, () =>
        classify(sample, order, 0.1, resample(Uint32Array.from(entities), 150, random)),
      )
      const { low, high } = intervals(drawn, ['auc']).auc ?? { low: null, high: null }
      return (high ?? 0) - (low ?? 0)
    }
    expect(width(4)).toBeCloseTo(width(1), 6)
  })

  test('are the same for the same seed, and say nothing where the figure is rarely there', () => {
    const draws = (seed: number) => Array.from({ length: 5 }, openRandom(seed))
    expect(draws(5)).toEqual(draws(5))
    expect(draws(5)).not.toEqual(draws(6))
    expect(intervals([{ auc: null }, { auc: null }, { auc: 0.5 }], ['auc']).auc).toEqual({
      low: null,
      high: null,
    })
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
  })
})

describe('what is required', () => {
  const facts = {
    kind: 'classification',
    metrics: { auc: 0.8, log_loss: 0.4 },
    against_champion: {
      version: 1,
      metrics: {},
      difference: { auc: { value: -0.02, low: 0, high: 0 }, log_loss: { value: 0.05, low: 0, high: 0 } },
    },
  } as const
  test.each([
    [{ auc: { min: 0.8 } }, true],
    [{ auc: { min: 0.81 } }, false],
    [{ log_loss: { max: 0.39 } }, false],
    [{ auc: { max_drop: 0.03 } }, true],
    [{ auc: { max_drop: 0.01 } }, false],
    [{ log_loss: { max_drop: 0.04 } }, false],
    [{ rmse: { max: 3 } }, false],
  ])('%j: %s', (require, passed) => {
    expect(checkRequirements(require, facts, 1).every((check) => check.passed)).toBe(passed)
  })
  test('without a champion there is nothing to be worse than; one that cannot be compared fails', () => {
    const alone = { ...facts, against_champion: null }
    expect(checkRequirements({ auc: { max_drop: 0.01 } }, alone, null)[0]?.passed).toBe(true)
    expect(checkRequirements({ auc: { max_drop: 0.01 } }, alone, 2)[0]?.passed).toBe(false)
  })
})

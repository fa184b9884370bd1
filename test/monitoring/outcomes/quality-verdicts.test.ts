import { describe, expect, test } from 'vitest'
import type { MeasuredReport } from '../../../src/monitoring/evidence.ts'
import {
  type QualityVerdict,
  qualityStanding,
  qualityVerdict,
} from '../../../src/monitoring/outcomes/quality-verdicts.ts'
import { boundOf, type QualityBound, qualityBounds } from '../../../src/monitoring/required-bound.ts'
import { readPersist } from '../../../src/pipeline/drift/persistence.ts'
import type { Model } from '../../../src/project/project.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'

const limits = (
  require: Model['evaluation']['require'],
  auc_below?: number,
): Pick<Model, 'retrain' | 'evaluation'> => ({
  evaluation: { require, segments: [], k: 0.1 },
  retrain:
    auc_below === undefined
      ? undefined
      : {
          command: ['train'],
          env: [],
          timeout: parseDuration('6h'),
          cooldown: parseDuration('7d'),
          promote: 'never',
          dataset: {
            span: parseDuration('180d'),
            every: parseDuration('14d'),
            holdout: parseDuration('28d'),
          },
          when: { auc_below },
        },
})

describe('the bounds of quality', () => {
  test('are the least value, or the most where less is better', () => {
    expect(
      qualityBounds(
        limits({ auc: { min: 0.7 }, brier: { max: 0.2 }, log_loss: { max: 0.5 }, mae: { max: 3 } }),
      ),
    ).toEqual([
      { metric: 'auc', value: 0.7, side: 'at least', declared: 'evaluation.require.auc.min' },
      { metric: 'log_loss', value: 0.5, side: 'at most', declared: 'evaluation.require.log_loss.max' },
      { metric: 'brier', value: 0.2, side: 'at most', declared: 'evaluation.require.brier.max' },
      { metric: 'mae', value: 3, side: 'at most', declared: 'evaluation.require.mae.max' },
    ])
  })

  test('do not include one against figures that are too good', () => {
    expect(
      qualityBounds(limits({ auc: { max: 0.95 }, rmse: { min: 0.01 }, ece: { max_drop: 0.1 } })),
    ).toEqual([])
    expect(boundOf(limits({ rmse: { min: 0.01, max: 2 } }), 'rmse')).toMatchObject({
      value: 2,
      side: 'at most',
    })
    expect(boundOf(limits({ auc: { min: 0.7, max: 0.95 } }), 'auc')).toMatchObject({
      value: 0.7,
      side: 'at least',
    })
    expect(boundOf(limits({ auc: { max: 0.95 } }), 'auc')).toMatchObject({ value: 0.95, side: 'at most' })
    expect(boundOf(limits({}), 'auc')).toBeUndefined()
  })

  test('of the AUC prefer the one of the retraining', () => {
    expect(qualityBounds(limits({ auc: { min: 0.7 } }, 0.65))).toEqual([
      { metric: 'auc', value: 0.65, side: 'at least', declared: 'retrain.when.auc_below' },
    ])
  })
})

describe('what a night says of a bound', () => {
  const least: QualityBound = { metric: 'auc', value: 0.7, side: 'at least', declared: '' }
  const most: QualityBound = { metric: 'brier', value: 0.2, side: 'at most', declared: '' }
  const night = (value: number, low: number | null, high: number | null): MeasuredReport => ({
    kind: 'classification',
    rows: 1000,
    positives: 100,
    scored: 1000,
    unlabelled: 0,
    metrics: { auc: value, brier: value },
    intervals: { auc: { low, high }, brier: { low, high } },
    treated: { known: false, rows: 0, measured_on: 'all', biased: false, note: null },
    realized: null,
    predicted: null,
  })

  test.each<[string, QualityBound, number, number, number, QualityVerdict]>([
    ['above', least, 0.75, 0.71, 0.79, 'met'],
    ['above, perhaps by chance', least, 0.72, 0.68, 0.76, 'met'],
    ['at the bound', least, 0.7, 0.66, 0.74, 'met'],
    ['below, perhaps by chance', least, 0.68, 0.64, 0.72, 'perhaps worse'],
    ['below, up to the bound', least, 0.66, 0.62, 0.7, 'perhaps worse'],
    ['below', least, 0.6, 0.55, 0.65, 'worse'],
    ['below the most', most, 0.15, 0.12, 0.18, 'met'],
    ['above the most, perhaps by chance', most, 0.22, 0.18, 0.26, 'perhaps worse'],
    ['above the most', most, 0.3, 0.25, 0.35, 'worse'],
  ])('%s', (_, bound, value, low, high, verdict) => {
    expect(qualityVerdict(night(value, low, high), bound)).toBe(verdict)
  })

  test('nothing, where there is no interval or no figure', () => {
    expect(qualityVerdict(night(0.5, null, null), least)).toBe('unknown')
    expect(qualityVerdict(night(0.5, 0.4, 0.6), { ...least, metric: 'rmse' })).toBe('unknown')
  })

  test('nothing, where its figures are no evidence', () => {
    const bad = night(0.5, 0.4, 0.6)
    expect(qualityVerdict(bad, least)).toBe('worse')
    expect(qualityVerdict({ ...bad, treated: { ...bad.treated, biased: true } }, least)).toBe('unknown')
    expect(qualityVerdict({ ...bad, positives: 9 }, least)).toBe('unknown')
    expect(qualityVerdict({ ...bad, unlabelled: 501 }, least)).toBe('unknown')
  })
})

describe('what persists', () => {
  /** `w` worse, `p` perhaps worse, `m` met, `?` unknown; oldest first. */
  const standing = (nights: string, persist = '2 of 3') => {
    const verdicts = { w: 'worse', p: 'perhaps worse', m: 'met', '?': 'unknown' } as const
    return qualityStanding(
      nights.split('').map((each) => verdicts[each === 'w' || each === 'p' || each === 'm' ? each : '?']),
      readPersist(persist),
    )
  }

  test.each([
    ['', 'open'],
    ['w', 'open'],
    ['ww', 'worse'],
    ['wmw', 'worse'],
    ['wmmw', 'open'],
    ['w?????w', 'worse'],
    ['pp', 'open'],
    ['wpp', 'open'],
    ['ppppp', 'open'],
    ['pppppp', 'worse'],
    ['ppwppp', 'worse'],
    ['pppmpppp', 'open'],
  ])('%s of 2 of 3 is %s', (nights, expected) => {
    expect(standing(nights)).toBe(expected)
  })

  test.each([
    ['wwm', 'worse'],
    ['wwmm', 'met'],
    ['wwmp', 'open'],
    ['wwmpmm', 'met'],
    ['wwm??m', 'met'],
    ['ppppppm', 'open'],
    ['ppppppmm', 'met'],
    ['m', 'open'],
  ])('%s ends it, or does not: %s', (nights, expected) => {
    expect(standing(nights)).toBe(expected)
  })

  test('one night is enough where it is declared', () => {
    expect(standing('mw', '1 of 1')).toBe('worse')
    expect(standing('p', '1 of 1')).toBe('open')
    expect(standing('pp', '1 of 1')).toBe('worse')
    expect(standing('wm', '1 of 1')).toBe('met')
  })

  test('where few nights of many are enough, it ends once they have passed', () => {
    expect(standing('wwmm', '2 of 5')).toBe('worse')
    expect(standing('wwmmm', '2 of 5')).toBe('worse')
    expect(standing('wwmmmm', '2 of 5')).toBe('met')
  })
})

import { expect, test } from 'vitest'
import { qualityTrend } from '../../../src/monitoring/digest/quality-trend.ts'
import type { MeasuredReport } from '../../../src/monitoring/evidence.ts'

const LIMITS = { retrain: undefined, evaluation: { require: {}, segments: [] } } as never

function night(day: number, auc: number, changes: Partial<MeasuredReport> = {}) {
  const report = {
    kind: 'classification',
    rows: 5000,
    positives: 900,
    scored: 5000,
    unlabelled: 0,
    metrics: { auc, log_loss: 1 - auc },
    intervals: {
      auc: { low: auc - 0.02, high: auc + 0.02 },
      log_loss: { low: 0.98 - auc, high: 1.02 - auc },
    },
    treated: { known: true, rows: 0, measured_on: 'untreated', biased: false, note: null },
    ...changes,
  } as MeasuredReport
  return { partition: `2026-11-${day}`, report }
}

test('no measured night has no trend, one is the first', () => {
  expect(qualityTrend(LIMITS, [])).toBeUndefined()
  expect(qualityTrend(LIMITS, [night(10, 0.8)])).toMatchObject({ metric: 'auc', value: 0.8, trend: 'first' })
})

test.each([
  { last: 0.81, trend: 'steady' },
  { last: 0.77, trend: 'worse' },
  { last: 0.83, trend: 'better' },
])('the newest night against the mean before: $last is $trend', ({ last, trend }) => {
  const nights = [night(10, 0.79), night(11, 0.81), night(12, last)]
  expect(qualityTrend(LIMITS, nights)).toMatchObject({ partition: '2026-11-12', value: last, trend })
})

test('of a figure where less is better, less is better', () => {
  const bounded = { retrain: undefined, evaluation: { require: { log_loss: { max: 0.5 } } } } as never
  const nights = [night(10, 0.8), night(11, 0.9)]
  expect(qualityTrend(bounded, nights)).toMatchObject({ metric: 'log_loss', trend: 'better' })
})

test('nights that a campaign influenced say nothing', () => {
  const treated = { known: true, rows: 4000, measured_on: 'all', biased: true, note: null } as const
  expect(qualityTrend(LIMITS, [night(10, 0.8), night(11, 0.5, { treated })])).toMatchObject({
    partition: '2026-11-10',
    trend: 'first',
  })
})

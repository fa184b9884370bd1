import { expect, test } from 'vitest'
import { dueTrigger, type Standing } from '../../../src/monitoring/retraining/triggers.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'

const NOW = new Date('2026-11-28T06:00:00Z')

/** Nights from 2026-11-01 on: `d` drifted, `q` quiet, `?` not judged, for each column. */
function standing(columns: Record<string, string> = {}, more: Partial<Standing> = {}): Standing {
  const count = Math.max(0, ...Object.values(columns).map((text) => text.length))
  const verdicts = { d: 'drifted', q: 'quiet', '?': 'unknown' } as const
  const nights = Array.from({ length: count }, (_, index) => ({
    partition: `2026-11-${String(index + 1).padStart(2, '0')}`,
    columns: Object.entries(columns).map(([column, text]) => ({
      column,
      verdict: verdicts[text[index] === 'd' ? 'd' : text[index] === 'q' ? 'q' : '?'],
    })),
  }))
  return { nights, outcomes: [], registered: '2026-11-01T00:00:00Z', ...more }
}

test('drift has to persist in one column', () => {
  const when = { drift_nights: 3 }
  expect(dueTrigger(when, standing({ price: 'qddd' }), NOW)).toEqual({
    trigger: 'drift',
    reason:
      'price drifted on 3 nights in a row, from 2026-11-02 to 2026-11-04 (retrain.when.drift_nights: 3)',
  })
  expect(dueTrigger(when, standing({ price: 'dddq' }), NOW), 'it has ended').toBeUndefined()
  expect(dueTrigger(when, standing({ price: 'ddqd' }), NOW), 'it was interrupted').toBeUndefined()
  expect(
    dueTrigger(when, standing({ price: 'dqq', calls: 'qdq', score: 'qqd' }), NOW),
    'each another',
  ).toBeUndefined()
  expect(dueTrigger(when, standing({ price: 'dd?d' }), NOW)?.trigger, 'a night without a verdict').toBe(
    'drift',
  )
  expect(
    dueTrigger(when, standing({ price: 'dd??' }), NOW),
    'nights without a verdict do not count',
  ).toBeUndefined()
  expect(dueTrigger(when, standing(), NOW)).toBeUndefined()
})

test('quality has to stay under the bound on three measured nights', () => {
  const when = { auc_below: 0.72 }
  const outcomes = (...aucs: (number | null)[]) =>
    standing({}, { outcomes: aucs.map((auc, index) => ({ partition: `2026-11-0${index + 1}`, auc })) })
  expect(dueTrigger(when, outcomes(0.8, 0.71, 0.7199999, 0.6), NOW)?.reason).toBe(
    'the realized AUC of 2026-11-02 was 0.71, of 2026-11-03 was 0.7199999, of 2026-11-04 was 0.6 (retrain.when.auc_below: 0.72)',
  )
  expect(dueTrigger(when, outcomes(0.71, 0.72, 0.6), NOW), 'the bound itself is no less').toBeUndefined()
  expect(dueTrigger(when, outcomes(0.6, 0.6), NOW), 'two nights may be chance').toBeUndefined()
  expect(dueTrigger(when, outcomes(0.6, null, 0.6, null, 0.6), NOW)?.trigger, 'nights without an AUC').toBe(
    'quality',
  )
})

test('age counts from the registration of the champion', () => {
  const when = { age: parseDuration('27d') }
  expect(dueTrigger(when, standing(), NOW)?.reason).toBe(
    'the champion was registered 27 days 6 h ago (retrain.when.age: 27d)',
  )
  expect(dueTrigger(when, standing(), new Date('2026-11-28T00:00:00Z'))).toBeUndefined()
  expect(dueTrigger({}, standing({ price: 'ddddd' }), NOW), 'no trigger is declared').toBeUndefined()
})

import { expect, test } from 'vitest'
import { trainingNights } from '../../../src/actions/retraining/training-nights.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import type { Model } from '../../../src/project/project.ts'
import { parseDuration } from '../../../src/project/time/duration.ts'

const example = openProject('.').models.churn as Model

function nights(dataset: { span: string; every: string; holdout: string }, now = '2026-11-28T12:00:00Z') {
  const read = Object.fromEntries(Object.entries(dataset).map(([key, text]) => [key, parseDuration(text)]))
  const retrain = { ...example.retrain, dataset: read } as NonNullable<Model['retrain']>
  const { asOfs, holdoutFrom } = trainingNights(
    { ...example, retrain },
    'Europe/Berlin',
    'day',
    new Date(now),
  )
  return { asOfs: asOfs.map(({ label }) => label), holdoutFrom: holdoutFrom.label }
}

test('the newest night is the newest whose label window of 30 days is over', () => {
  expect(nights({ span: '60d', every: '30d', holdout: '1d' })).toEqual({
    asOfs: ['2026-08-30', '2026-09-29', '2026-10-29'],
    holdoutFrom: '2026-10-29',
  })
  // At 22:59 UTC it is still the day before in Berlin.
  expect(nights({ span: '60d', every: '30d', holdout: '1d' }, '2026-11-27T22:59:00Z').holdoutFrom).toBe(
    '2026-10-28',
  )
  expect(nights({ span: '60d', every: '30d', holdout: '1d' }, '2026-11-27T23:00:00Z').holdoutFrom).toBe(
    '2026-10-29',
  )
})

test('the nights of the last weeks are held out', () => {
  const made = nights({ span: '90d', every: '14d', holdout: '28d' })
  expect(made.asOfs).toHaveLength(7)
  expect(made.holdoutFrom).toBe('2026-10-15')
})

test('steps shorter than a day are whole days for a daily model', () => {
  expect(nights({ span: '40d', every: '6h', holdout: '1d' }).asOfs).toHaveLength(41)
})

test('a span that leaves nothing to train on is refused', () => {
  expect(() => nights({ span: '30d', every: '14d', holdout: '28d' })).toThrow(
    'retrain: expected retrain.dataset.span in models/churn/model.yaml to be longer than holdout and label horizon together (28d and 30d), got: 30d, which leaves no night to train on',
  )
})

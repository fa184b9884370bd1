import { expect, test } from 'vitest'
import type { BackfillStep } from '../../../src/jobs/backfills/plan-backfill.ts'
import { planText } from '../../../src/jobs/backfills/plan-stretches.ts'

const night = (as_of: string, replaces: string | null = null): BackfillStep => ({
  as_of,
  action: 'run',
  version: 1,
  reason: 'it has no partition',
  replaces,
})
const features = (view: string, as_of: string) => ({ view, as_of, reason: 'they have no partition' })

test('a plan of several models counts the features that they share once', () => {
  const slots = [night('2026-03-01'), night('2026-03-01'), night('2026-03-02', 'abcdefgh')]
  const refresh = [
    features('orders', '2026-03-01'),
    features('orders', '2026-03-01'),
    features('clicks', '2026-03-01'),
  ]
  expect(planText({ slots, refresh })).toBe(
    '3 of 3 nights to run, 2 nights of features first, 1 partition replaced',
  )
  expect(planText({ slots: [night('2026-03-01')], refresh: [] })).toBe('1 of 1 night to run')
})

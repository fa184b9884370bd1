import { expect, test } from 'vitest'
import { verdictHistory } from '../../../src/monitoring/trust/verdict-history.ts'
import type { Verdict } from '../../../src/monitoring/trust/verdict-records.ts'

const DRIFT = 'Its input has drifted: spend (PSI 0.31, threshold 0.1).'
const verdict = (answer: Verdict['answer'], since: string, more: Partial<Verdict> = {}): Verdict => ({
  run: 'r1',
  answer,
  why: answer === 'no' ? DRIFT : '',
  reasons: [],
  since: `2026-03-03T${since}:00.000Z`,
  until: null,
  profiled_at: null,
  ...more,
})

test('a verdict that never changed has no history', () => {
  expect(verdictHistory([], 'UTC')).toEqual([])
  expect(verdictHistory([verdict('yes', '06:10')], 'UTC')).toEqual([])
})

test('each change says what was told before, since when it is otherwise, and why; the newest first', () => {
  const [first, second] = [
    verdict('yes', '06:10', { until: '2026-03-03T09:30:00.000Z' }),
    verdict('no', '09:30', { until: '2026-03-03T11:00:00.000Z' }),
  ]
  expect(verdictHistory([first, { ...second, until: null }], 'Europe/Berlin')).toEqual([
    `Was yes at 2026-03-03 07:10 CET, no since 2026-03-03 10:30 CET: ${DRIFT}`,
  ])
  expect(verdictHistory([first, second, verdict('yes', '11:00')], 'UTC')).toEqual([
    `Was no at 2026-03-03 09:30 UTC, yes since 2026-03-03 11:00 UTC: no longer: ${DRIFT}`,
    `Was yes at 2026-03-03 06:10 UTC, no from 2026-03-03 09:30 UTC to 2026-03-03 11:00 UTC: ${DRIFT}`,
  ])
})

test('a list that was published again is another list', () => {
  expect(verdictHistory([verdict('yes', '06:10'), verdict('yes', '09:30', { run: 'r2' })], 'UTC')).toEqual([
    'Still yes since 2026-03-03 09:30 UTC: published again by run r2.',
  ])
  expect(verdictHistory([verdict('no', '06:10'), verdict('yes', '09:30', { run: 'r2' })], 'UTC')).toEqual([
    'Was no at 2026-03-03 06:10 UTC, yes since 2026-03-03 09:30 UTC: published again by run r2.',
  ])
})

import { expect, test } from 'vitest'
import { type Publication, publishedAtDeadline } from '../../../src/ledger/nights/standing.ts'

const published = (run: string, at: string, backfill = false): Publication => ({
  run,
  at: `2026-03-03T${at}:00Z`,
  backfill,
  version: 1,
  metadata: null,
})
const DEADLINE = '2026-03-03T06:00:00Z'
const stood = (publications: Publication[], deadline: string | null = DEADLINE) => {
  const found = publishedAtDeadline(publications, deadline)
  return 'none' in found ? found.none : found.publication.run
}

test('a night is judged by the last publication at or before its deadline', () => {
  expect(stood([published('a', '02:10')])).toBe('a')
  expect(stood([published('a', '02:10'), published('b', '06:00'), published('c', '06:01')])).toBe('b')
  expect(stood([published('a', '02:10'), published('back', '09:00', true)])).toBe('a')
})

test('what came after the deadline, and what a backfill made, is no outcome', () => {
  expect(stood([published('late', '06:01')])).toBe(
    'no scores were published by its deadline, 2026-03-03T06:00:00Z: the first were published at 2026-03-03T06:01:00Z by run late',
  )
  expect(stood([])).toBe('no scores were published by its deadline, 2026-03-03T06:00:00Z')
  expect(stood([published('a', '02:10'), published('back', '03:00', true)])).toBe(
    'at its deadline, 2026-03-03T06:00:00Z, the published scores were those of a backfill (run back)',
  )
})

test('without a deadline the first publication counts that no backfill made', () => {
  expect(
    stood([published('back', '01:00', true), published('a', '02:10'), published('b', '03:00')], null),
  ).toBe('a')
  expect(stood([published('back', '01:00', true)], null)).toBe('its only scores are those of a backfill')
})

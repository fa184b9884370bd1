import { expect, test } from 'vitest'
import { firstToSee, leftOut } from '../../../src/cli/terminal/first-to-see.ts'
import type { Slot } from '../../../src/ledger/nights/slots.ts'

/** Newest first, as the ledger lists them. */
const night = (name: string, state: Slot['state'], { late = false, stale = null as string | null } = {}) => ({
  name,
  state,
  late,
  stale,
})
const NIGHTS = [
  night('in two days', 'expected'),
  night('tomorrow', 'expected'),
  night('today', 'published'),
  night('yesterday', 'published', { stale: 'the view has changed' }),
  night('a week ago', 'published'),
  night('a month ago', 'held', { late: true }),
]
const names = (limit: number) => firstToSee(NIGHTS, limit).map(({ name }) => name)

test('open nights are shown however old they are, then the newest, then the next ones, in the order of the calendar', () => {
  expect(names(1)).toEqual(['a month ago'])
  expect(names(3)).toEqual(['today', 'yesterday', 'a month ago'])
  expect(names(5)).toEqual(['tomorrow', 'today', 'yesterday', 'a week ago', 'a month ago'])
  expect(names(6)).toEqual(NIGHTS.map(({ name }) => name))
})

test('what is left out is counted by state, with how to see it', () => {
  expect(leftOut(NIGHTS, firstToSee(NIGHTS, 2), undefined)).toBe(
    'and 4 more: 2 expected, 1 published and stale, 1 published; of one model: nightshift status MODEL; all: --limit 6',
  )
  expect(leftOut(NIGHTS, firstToSee(NIGHTS, 5), 'churn')).toBe('and 1 more: 1 expected; all: --limit 6')
})

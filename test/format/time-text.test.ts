import { expect, it } from 'vitest'
import { timeText } from '../../src/format/time-text.ts'

const NOON = Date.UTC(2026, 10, 22, 12) / 1000

it.each([
  ['DATE', NOON, '2026-11-22'],
  ['TIMESTAMP', NOON + 0.4, '2026-11-22T12:00:00'],
  ['TIMESTAMP_NS', NOON, '2026-11-22T12:00:00'],
  ['TIMESTAMP WITH TIME ZONE', NOON, '2026-11-22T12:00:00Z'],
  ['TIMESTAMP', -1, '1969-12-31T23:59:59'],
  ['TIMESTAMP', 1e15, null],
  ['TIMESTAMP', null, null],
  ['DOUBLE', NOON, null],
  [null, NOON, null],
] as const)('a %s of %d seconds is %s', (type, seconds, text) => {
  expect(timeText(seconds, type)).toBe(text)
})

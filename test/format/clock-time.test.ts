import { expect, test } from 'vitest'
import { clockTime, hourAndMinute, localDay, localTimes } from '../../src/format/clock-time.ts'

test.each([
  ['2026-11-22T01:05:00Z', 'Europe/Berlin', '2026-11-22 02:05 CET'],
  ['2026-07-01T22:30:00Z', 'Europe/Berlin', '2026-07-02 00:30 CEST'],
  ['2026-11-22T01:05:00Z', 'America/New_York', '2026-11-21 20:05 GMT-5'],
  ['2026-11-22T01:05:00Z', 'UTC', '2026-11-22 01:05 UTC'],
  ['never', 'UTC', 'never'],
  [null, 'UTC', ''],
  [undefined, 'UTC', ''],
])('%s in %s reads %s', (iso, zone, expected) => {
  expect(clockTime(iso, zone)).toBe(expected)
})

test('the hour that clocks repeat is told apart by the name of its offset', () => {
  expect(clockTime('2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-25 02:30 CEST')
  expect(clockTime('2026-10-25T01:30:00Z', 'Europe/Berlin')).toBe('2026-10-25 02:30 CET')
})

test('hour, minute and day are those of the zone', () => {
  expect(hourAndMinute('2026-11-22T23:05:00Z', 'Europe/Berlin')).toBe('00:05')
  expect(localDay('2026-11-22T23:05:00Z', 'Europe/Berlin')).toBe('2026-11-23')
})

test('instants within a text read as clock times, and nothing else changes', () => {
  expect(
    localTimes('tries again at 2026-11-22T01:05:00.123Z, of 2026-11-22T03:05:00+01:00 (run r1)', 'UTC'),
  ).toBe('tries again at 2026-11-22 01:05 UTC, of 2026-11-22 02:05 UTC (run r1)')
})

import { expect, test } from 'vitest'
import { age, duration } from '../../src/format/elapsed.ts'

const HOUR = 3_600_000

test.each([
  [0, '0 ms'],
  [350.4, '350 ms'],
  [999.6, '1 s'],
  [12_340, '12.3 s'],
  [30_000, '30 s'],
  [59_960, '1 min'],
  [119_700, '2 min'],
  [250_000, '4 min 10 s'],
  [HOUR - 400, '1 h'],
  [25 * HOUR, '25 h'],
  [25 * HOUR + 5 * 60_000, '25 h 5 min'],
  [48 * HOUR - 20_000, '2 days'],
  [76 * HOUR, '3 days 4 h'],
  [-250_000, '-4 min 10 s'],
])('what takes %d ms takes %s', (ms, expected) => {
  expect(duration(ms)).toBe(expected)
})

test.each([
  [0, '0 s'],
  [-5000, '0 s'],
  [59_400, '59 s'],
  [59_600, '1 min'],
  [754_000, '13 min'],
  [HOUR - 1000, '1 h'],
  [5 * HOUR + 10 * 60_000, '5 h 10 min'],
  [24 * HOUR, '24 h'],
  [76 * HOUR, '3 days 4 h'],
])('what is %d ms old is %s old', (ms, expected) => {
  expect(age(ms)).toBe(expected)
})

import { expect, test } from 'vitest'
import {
  bracketed,
  count,
  figure,
  figureBeside,
  interval,
  rounded,
  signed,
} from '../../src/format/numbers.ts'

test('a count has its thousands apart', () => {
  expect([count(0), count(999), count(1_234_567)]).toEqual(['0', '999', '1,234,567'])
})

test.each([
  [0, '0'],
  [0.5, '0.5'],
  [0.123456, '0.1235'],
  [-12.34567, '-12.35'],
  [1234.56, '1,235'],
  [123_456_789, '123,456,789'],
  [1.5e12, '1.50e+12'],
  [0.00001234, '1.23e-5'],
])('the figure %d reads %s', (value, expected) => {
  expect(figure(value)).toBe(expected)
})

test('no figure reads as the caller says, and as nothing by default', () => {
  expect([figure(null), figure(undefined), figure(Number.NaN), figure(null, '-')]).toEqual(['', '', '', '-'])
  expect(signed(null, 'none')).toBe('none')
})

test('a difference has its sign', () => {
  expect([signed(0.01234567), signed(-0.5), signed(0)]).toEqual(['+0.01235', '-0.5', '0'])
})

test.each([
  [0.7499999, 0.75, '0.7499999'],
  [0.7, 0.75, '0.7'],
  [0.75, 0.75, '0.75'],
  [5000.2, 5000, '5000.2'],
  [0.30000000000000004, 0.3, '0.30000000000000004'],
])('%d beside the bound %d reads %s', (value, bound, expected) => {
  expect(figureBeside(value, bound)).toBe(expected)
})

test('an interval is told where it has a width', () => {
  expect(interval({ low: 0.74321, high: 0.8 })).toBe('0.7432 to 0.8')
  expect(bracketed({ low: 0.74321, high: 0.8 })).toBe(' (0.7432 to 0.8)')
  for (const none of [undefined, { low: null, high: 1 }, { low: 1, high: null }, { low: 1, high: 1 }]) {
    expect([interval(none), bracketed(none)]).toEqual(['', ''])
  }
})

test('rounding leaves a number', () => {
  expect(rounded(0.1 + 0.2, 12)).toBe(0.3)
})

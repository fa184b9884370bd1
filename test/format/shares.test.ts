import { expect, test } from 'vitest'
import { exactPercent, percent, percentBeside } from '../../src/format/shares.ts'

test.each([
  [0, '0 %'],
  [0.0000004, '<0.1 %'],
  [-0.0000004, '>-0.1 %'],
  [0.004, '0.4 %'],
  [0.0999, '10 %'],
  [0.25, '25 %'],
  [0.995, '99.5 %'],
  [0.9999999, '>99.9 %'],
  [1, '100 %'],
  [-0.2, '-20 %'],
])('the share %d reads %s', (share, expected) => {
  expect(percent(share)).toBe(expected)
})

test('no share reads as nothing', () => {
  expect([percent(null), percent(undefined), percent(Number.NaN)]).toEqual(['', '', ''])
})

test('a share that breaks a bound by little reads unlike the bound', () => {
  expect([percentBeside(0.0104, 0.01), exactPercent(0.01)]).toEqual(['1.04 %', '1 %'])
  expect([percentBeside(0.010000004, 0.01), exactPercent(0.125)]).toEqual(['1.0000004 %', '12.5 %'])
  expect([percentBeside(0, 0.01), exactPercent(0.07)]).toEqual(['0 %', '7 %'])
})

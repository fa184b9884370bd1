import { expect, test } from 'vitest'
import { amountIn, readAmount } from '../../src/project/amount.ts'

test.each([
  ['800MB', 800e6],
  ['1.5 GB', 1.5e9],
  ['2GiB', 2 * 1024 ** 3],
  ['64kB', 64_000],
  ['75%', 750],
  ['0.5%', 5],
  ['100 %', 1000],
])('%s of 1000 bytes is %d', (text, bytes) => {
  const amount = readAmount(text)
  expect(amount?.text).toBe(text)
  expect(amount === undefined ? undefined : amountIn(amount, 1000)).toBe(bytes)
})

test.each(['0GB', '0%', '101%', '12', '12 gigs', '-1GB', 'GB', '1e3MB', ''])('%s is no amount', (text) => {
  expect(readAmount(text)).toBeUndefined()
})

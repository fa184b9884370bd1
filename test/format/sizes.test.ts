import { expect, test } from 'vitest'
import { bytes, usageText } from '../../src/format/sizes.ts'

test.each([
  [0, '0 B'],
  [350, '350 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1_440_000, '1.4 MB'],
  [9_960_000, '10 MB'],
  [999_700, '1.0 MB'],
  [12e9, '12 GB'],
  [5e16, '50000 TB'],
])('%d bytes are %s', (value, expected) => {
  expect(bytes(value)).toBe(expected)
})

test.each([
  [{ memory: 1.44e9, limit: 5.9e9, spilled: 3.2e9 }, 'peak memory 1.4 GB of 5.9 GB, spilled 3.2 GB'],
  [{ memory: 300e6, limit: null, spilled: 0 }, 'peak memory 300 MB, spilled nothing'],
  [{ memory: 300e6, limit: 1e9, spilled: null }, 'peak memory 300 MB of 1.0 GB'],
])('usage %j is told in words', (usage, expected) => {
  expect(usageText(usage)).toBe(expected)
})

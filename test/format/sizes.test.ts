import { expect, test } from 'vitest'
import { bytes } from '../../src/format/sizes.ts'

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

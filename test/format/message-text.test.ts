import { expect, test } from 'vitest'
import { messageText } from '../../src/format/message-text.ts'

test.each([
  [
    'newest row is of 2026-11-20T22:58:12Z, required is 2026-11-21T21:00:00+01:00 or later',
    'newest row is of 2026-11-20 23:58 CET, required is 2026-11-21 21:00 CET or later',
  ],
  ['expected 0.2 or less, got: 0.9933071490757153', 'expected 0.2 or less, got: 0.9933'],
  ['got: -0.9933071490757153.', 'got: -0.9933.'],
  ['got: 1.5000000000000002e-7', 'got: 1.50e-7'],
  // Four digits would say that the bound is kept.
  ['expected 0.2 or less, got: 0.20000123456', 'expected 0.2 or less, got: 0.200001'],
  ['allowed 0.05, found 0.052, in files v1.23456789012/x of 2026-11-22', undefined],
  ['as of 2026-11-22T03Z, 5012 rows, port 10.0.0.7:6379', undefined],
])('%s', (text, shown) => expect(messageText(text, 'Europe/Berlin')).toBe(shown ?? text))

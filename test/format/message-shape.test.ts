import { expect, test } from 'vitest'
import { messageShape, ofAnyAttempt } from '../../src/format/message-shape.ts'

test('messages that differ in names, numbers, ids and paths have one shape', () => {
  const shapes = [
    'run kd001qx7: file data/calls/day=2026-11-21/part-0.parquet has 12 rows, "plan" is missing',
    'run mm2q9xxb: file data/sms/day=2026-11-22/part-1.parquet has 1,200 rows, "tariff" is missing',
  ].map(messageShape)
  expect(shapes[0]).toBe('run ?: file ? has # rows, ? is missing')
  expect(shapes[1]).toBe(shapes[0])
})

test('attempts that fail alike say so of files of their own', () => {
  const [first, second] = [1, 2].map((attempt) =>
    ofAnyAttempt(
      `Could not write file "warehouse/.attempts/cnjgnm8m-a${attempt}/features.parquet": no space`,
    ),
  )
  expect(first).toBe('Could not write file "warehouse/.attempts/cnjgnm8m/features.parquet": no space')
  expect(second).toBe(first)
  expect(ofAnyAttempt('an-a1 of another kind')).toBe('an-a1 of another kind')
})

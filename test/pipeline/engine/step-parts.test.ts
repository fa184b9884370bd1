import { expect, test } from 'vitest'
import { withParts } from '../../../src/pipeline/engine/step-parts.ts'

const step = (name: string, ms = 1) => ({ step: name, ms })

test('what the compute process timed belongs to the step that it was recorded before', () => {
  const steps = [
    step('resolve'),
    step('scores: open', 2),
    step('scores: read back', 3),
    step('compute', 6),
    step('publish'),
  ]
  expect(withParts(steps)).toEqual([
    { ...step('resolve'), parts: [] },
    { ...step('compute', 6), parts: [step('open', 2), step('read back', 3)] },
    { ...step('publish'), parts: [] },
  ])
})

test('parts of a step that did not end stand by themselves', () => {
  expect(withParts([step('resolve'), step('features: cut')])).toEqual([
    { ...step('resolve'), parts: [] },
    { ...step('cut'), parts: [] },
  ])
})

import { expect, test } from 'vitest'
import { letterText } from '../../../../src/alerts/letters/letter-text.ts'
import { overriddenLetter } from '../../../../src/alerts/letters/notices/override-letter.ts'

const OVERRIDDEN = {
  model: 'churn',
  version: 2,
  from: 1,
  by: 'ann@example.com',
  reason: 'the old model fails on the new plans',
  open: [{ title: 'Shadow', evidence: 'Version 2 was never in shadow: 0 of 14 nights.' }],
}

test('says who, why, what the gate lacks and how to go back', () => {
  const { subject, letter } = overriddenLetter(OVERRIDDEN)
  expect(subject).toBe('churn: version 2 promoted despite the gate')
  const text = letterText(letter)
  expect(text).toContain('ann@example.com made version 2 the champion of churn')
  expect(text).toContain('> the old model fails on the new plans')
  expect(text).toContain('Shadow: Version 2 was never in shadow: 0 of 14 nights.')
  expect(text).toContain('To go back:\n  npx nightshift rollback churn --to 1 --by YOU')
})

test('offers no way back from a first champion', () => {
  const text = letterText(overriddenLetter({ ...OVERRIDDEN, from: null }).letter)
  expect(text).toContain('There was no champion before.')
  expect(text).not.toContain('rollback')
})

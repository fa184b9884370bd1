import { expect, test } from 'vitest'
import { followAnswers } from '../../../src/ledger/nights/answers.ts'

test('silence counts from when the ledger answers again, and not at all while it never was away', async () => {
  const answers = followAnswers()
  expect(await answers.ask(async () => 'rows')).toBe('rows')
  expect(answers.forMs()).toBe(Number.POSITIVE_INFINITY)
  await expect(answers.ask(() => Promise.reject(new Error('connection refused')))).rejects.toThrow('refused')
  const since = answers.forMs()
  expect(since).toBeLessThan(60_000)
  await answers.ask(async () => 'rows')
  expect(answers.forMs()).toBeGreaterThanOrEqual(since)
  expect(answers.forMs()).not.toBe(Number.POSITIVE_INFINITY)
})

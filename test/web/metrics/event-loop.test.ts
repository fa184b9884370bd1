import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { longestDelay } from '../../../src/web/metrics/event-loop.ts'

test('a loop that stood still is told once, with how long', async () => {
  expect(longestDelay()).toBeUndefined()
  await sleep(30)
  const until = performance.now() + 300
  while (performance.now() < until);
  await sleep(30)
  expect(longestDelay()).toBeGreaterThan(0.25)
  expect(longestDelay()).toBeGreaterThanOrEqual(0)
})

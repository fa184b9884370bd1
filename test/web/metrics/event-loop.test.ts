import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'

test('a loop that stood still is told once, with how long', async () => {
  // Tests share a process, in which a page of metrics may have been asked for already.
  vi.resetModules()
  const { longestDelay } = await import('../../../src/web/metrics/event-loop.ts')
  expect(longestDelay()).toBeUndefined()
  await sleep(30)
  const until = performance.now() + 300
  while (performance.now() < until);
  await sleep(30)
  expect(longestDelay()).toBeGreaterThan(0.25)
  expect(longestDelay()).toBeGreaterThanOrEqual(0)
})

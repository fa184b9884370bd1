import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startLoop } from '../../src/workers/worker-loop.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A loop whose rounds take so long; `begun` holds when each began, in ms: at once is 1 ms later, as timers have it. */
function loopOf(tookMs: number, { next, rests }: { next?: number; rests?: boolean } = {}) {
  const begun: number[] = []
  const zero = performance.now()
  const loop = startLoop(
    async () => {
      begun.push(Math.round(performance.now() - zero))
      await new Promise((resolve) => setTimeout(resolve, tookMs))
      return next
    },
    { everyMs: 5000, onError: () => {}, ...(rests === undefined ? {} : { rests }) },
  )
  return { loop, begun }
}

test('pauses between rounds, for less where a round knows when there is work', async () => {
  const { begun } = loopOf(10)
  const { begun: sooner } = loopOf(10, { next: 1000 })
  await vi.advanceTimersByTimeAsync(5500)
  expect(begun).toEqual([0, 5010])
  expect(sooner).toEqual([0, 1010, 2020, 3030, 4040, 5050])
})

test('woken in a round it runs once more right after it, and else at once', async () => {
  const { loop, begun } = loopOf(400)
  await vi.advanceTimersByTimeAsync(100)
  loop.wake()
  loop.wake()
  await vi.advanceTimersByTimeAsync(1000)
  loop.wake()
  await vi.advanceTimersByTimeAsync(1000)
  expect(begun).toEqual([0, 401, 1100])
})

test('where it rests, a long round is followed by as long a pause, though it is woken again and again', async () => {
  const { loop, begun } = loopOf(400, { rests: true })
  for (let step = 0; step < 20; step++) {
    await vi.advanceTimersByTimeAsync(100)
    loop.wake()
  }
  expect(begun).toEqual([0, 800, 1600])
  // Not woken, it pauses as usual.
  await vi.advanceTimersByTimeAsync(10_000)
  expect(begun).toEqual([0, 800, 1600, 2400, 7800])
})

test('where it rests, short rounds are run at once', async () => {
  const { loop, begun } = loopOf(20, { rests: true })
  await vi.advanceTimersByTimeAsync(10)
  loop.wake()
  await vi.advanceTimersByTimeAsync(100)
  loop.wake()
  await vi.advanceTimersByTimeAsync(100)
  expect(begun).toEqual([0, 21, 110])
})

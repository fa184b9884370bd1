import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { beat } from '../../src/ledger/nights/alive.ts'
import { clocksApart, clockWatch, describeDifference } from '../../src/workers/clock-difference.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(async () => {
  vi.restoreAllMocks()
  await fresh.drop()
})

test('a clock that is apart by more than 5 s is told, in which direction and how far', () => {
  expect(describeDifference('it', 4_900)).toBeUndefined()
  expect(describeDifference('it', -3_600_000)).toBe("it is 1 h behind the ledger's")
  expect(describeDifference('it', 6_000)).toBe("it is 6 s ahead of the ledger's")
})

test('the log says once that it is apart, and once that it agrees again', () => {
  const said: string[] = []
  const log = {
    warn: (_: unknown, text?: string) => said.push(String(text)),
    info: (text: string) => said.push(text),
  }
  const watch = clockWatch(Object.assign(log))
  for (const ahead of [0, 10_000, 11_000, 0, 0]) watch(ahead)
  expect(said).toEqual([
    expect.stringContaining("this machine's clock is 10 s ahead of the ledger's"),
    "this machine's clock agrees with the ledger's again",
  ])
})

test('a heartbeat measures the clock, and the ledger knows whose is apart', async () => {
  const real = Date.now.bind(Date)
  vi.spyOn(Date, 'now').mockImplementation(() => real() + 3_600_000)
  let stop = async () => {}
  const ahead = await new Promise<number>((measured, fail) => {
    let beats = 0
    // What a beat measures is written by the next.
    const onClock = (ms: number) => {
      beats += 1
      if (beats === 2) measured(ms)
    }
    beat(fresh.database, { id: 'worker-ahead', role: 'worker', places: 1 }, { onClock }).then((release) => {
      stop = release
    }, fail)
  })
  expect(Math.round(ahead / 60_000)).toBe(60)
  expect(await clocksApart(fresh.database.pool)).toEqual([
    expect.stringMatching(
      /^the clock of worker-ahead on \S+ is (?:59 min(?: \d+ s)?|1 h(?: \d+ min)?) ahead of the ledger's$/,
    ),
  ])
  await stop()
})

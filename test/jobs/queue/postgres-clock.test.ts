import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { onServerClock } from '../../../src/jobs/queue/postgres-clock.ts'
import { openQueues, type Queues } from '../../../src/jobs/queue/queues.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
let queues: Queues
beforeAll(async () => {
  fresh = await freshDatabase()
  queues = await openQueues({ databaseUrl: fresh.url, log: () => {} })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await queues.close()
  await fresh.drop()
})

test('the statement that its comment gives a time is given the time of the server, and no other parameter is touched', () => {
  const text = '-- Params: $1 queue, $10 name, $2 now_ms.\nSELECT f($1, $2, $10, $20);\n'
  expect(onServerClock(text)).toBe(
    '-- Params: $1 queue, $10 name, $2 now_ms.\nSELECT f($1, ($2::bigint * 0 + (extract(epoch from clock_timestamp()) * 1000)::bigint), $10, $20);\n',
  )
  expect(onServerClock('SELECT 1')).toBe('SELECT 1')
})

test('the lock of a worker whose clock is an hour behind runs out by the clock of the server', async () => {
  const real = Date.now.bind(Date)
  vi.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000)
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  await new Promise<void>((taken, fail) => {
    const process = async () => {
      taken()
      await ended
    }
    queues
      .work('features', { concurrency: 1, process })
      .then(() => queues.add('features', { id: 'run-a1', title: 'a job', data: {} }))
      .catch(fail)
  })
  const lock = async () => {
    const { rows } = await fresh.database.pool.query<{ until: number; left: number }>(
      `select locked_until_ms::float8 as until, (locked_until_ms - extract(epoch from clock_timestamp()) * 1000)::float8 as left
         from nightshift_queues.job where id = 'run-a1'`,
    )
    return rows[0] ?? { until: 0, left: 0 }
  }
  const first = await lock()
  expect(first.left).toBeGreaterThan(0)
  expect(first.left).toBeLessThanOrEqual(10_000)
  // The worker counts by its own clock when to renew it.
  await vi.waitUntil(async () => (await lock()).until > first.until, { timeout: 60_000, interval: 200 })
  expect((await lock()).left).toBeGreaterThan(0)
  end()
})

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { openQueues, type Queues } from '../../src/jobs/queue/queues.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import { type LedgerProxy, openProxy } from './proxy.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** Longer than the queue waits for a connection, so that its first start fails. */
const SLOW_MS = 7_000
const SLOW_FOR_MS = FULL ? 25_000 : 12_000

let fresh: FreshDatabase | undefined
let redis: RedisServer | undefined
let proxy: LedgerProxy | undefined
let queues: Queues | undefined
afterEach(async () => {
  await queues?.close()
  await proxy?.close()
  await redis?.remove()
  await fresh?.drop()
  fresh = redis = proxy = queues = undefined
})

/** The share of the time in which the event loop had something to do. */
async function busy(ms: number): Promise<number> {
  const before = performance.eventLoopUtilization()
  await sleep(ms)
  return performance.eventLoopUtilization(before).utilization
}

describe.each([
  { backend: 'PostgreSQL', present: true },
  { backend: 'Redis', present: hasRedis },
])('a queue in $backend', ({ backend, present }) => {
  async function open(): Promise<LedgerProxy> {
    fresh = await freshDatabase()
    redis = backend === 'Redis' ? await startRedis() : undefined
    proxy = await openProxy(redis?.url ?? fresh.url)
    queues = await openQueues({
      databaseUrl: backend === 'Redis' ? fresh.url : proxy.url,
      redisUrl: backend === 'Redis' ? proxy.url : undefined,
      log: () => {},
    })
    return proxy
  }

  async function worksAgain(opened: Queues, done: string[], id: string): Promise<number> {
    return await secondsUntil(
      async () => {
        await opened.add('features', { id, title: 'refresh', data: {} }).catch(() => {})
        return done.includes(id)
      },
      { within: 60 },
    )
  }

  const FAULTS = [
    {
      fault: `connections to ${backend} take 7 s for a while when the worker starts`,
      begin: (through: LedgerProxy) => through.slow(SLOW_MS),
      during: () => sleep(SLOW_FOR_MS),
      end: (through: LedgerProxy) => through.slow(0),
    },
    {
      fault: `${backend} refuses connections when the worker starts`,
      begin: () => {},
      during: (through: LedgerProxy) => through.cut(SLOW_FOR_MS),
      end: () => {},
    },
    {
      fault: `${backend} accepts and does not answer when the worker starts`,
      begin: () => {},
      during: (through: LedgerProxy) => through.freeze(SLOW_FOR_MS),
      end: () => {},
    },
  ]
  // Takes 15 s each: the fault outlasts the time that a client waits for a connection.
  test.skipIf(!present).each(FAULTS)(
    'works when the fault is over, and never spins: $fault',
    async ({ fault, begin, during, end }) => {
      const through = await open()
      const opened = queues
      if (opened === undefined) throw new Error('the queues are open')
      begin(through)
      const fault_ = during(through)
      const done: string[] = []
      await opened.work('features', {
        concurrency: 2,
        process: async (job) => {
          done.push(String(job.id))
        },
      })
      const load = await busy(SLOW_FOR_MS - 2_000)
      await fault_
      end(through)
      const seconds = await worksAgain(opened, done, 'first')
      // A loop that spins is busy all the time; the other work of this machine makes a working one look busier.
      expect(load).toBeLessThan(0.5)
      record({
        fault,
        promise: 'jobs are taken by themselves when it is over, and the event loop never spins',
        happened: 'jobs were taken; the event loop was busy for less than half of the time',
        seconds,
      })
      expect(seconds).toBeLessThan(30)
    },
    120_000,
  )
})

import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, type TestContext, test } from 'vitest'
import { openQueues, type Queues } from '../../src/jobs/queue/queues.ts'
import { freshDatabase } from '../database/fresh.ts'
import { hasRedis, startRedis } from '../jobs/redis-server.ts'
import { type LedgerProxy, openProxy } from './proxy.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** Longer than the queue waits for a connection, so that its first start fails. */
const SLOW_MS = 7_000
const SLOW_FOR_MS = FULL ? 25_000 : 12_000

/** The share of the time in which the event loop had something to do. */
async function busy(ms: number): Promise<number> {
  const before = performance.eventLoopUtilization()
  await sleep(ms)
  return performance.eventLoopUtilization(before).utilization
}

describe.concurrent.each([
  { backend: 'PostgreSQL', present: true },
  { backend: 'Redis', present: hasRedis },
])('a queue in $backend', ({ backend, present }) => {
  async function open(onTestFinished: TestContext['onTestFinished']) {
    const fresh = await freshDatabase()
    onTestFinished(() => fresh.drop())
    const redis = backend === 'Redis' ? await startRedis() : undefined
    onTestFinished(async () => redis?.remove())
    const through = await openProxy(redis?.url ?? fresh.url)
    onTestFinished(() => through.close())
    const queues = await openQueues({
      databaseUrl: redis === undefined ? through.url : fresh.url,
      redisUrl: redis === undefined ? undefined : through.url,
      log: () => {},
    })
    onTestFinished(() => queues.close())
    return { through, queues }
  }

  async function worksAgain(queues: Queues, done: string[], id: string): Promise<number> {
    return await secondsUntil(
      async () => {
        await queues.add('features', { id, title: 'refresh', data: {} }).catch(() => {})
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
  // Takes 15 s each, side by side: the fault outlasts the time that a client waits for a connection.
  test.skipIf(!present).for(FAULTS)(
    'works when the fault is over, and never spins: $fault',
    async ({ fault, begin, during, end }, { expect, onTestFinished }) => {
      const { through, queues } = await open(onTestFinished)
      begin(through)
      const fault_ = during(through)
      const done: string[] = []
      await queues.work('features', {
        concurrency: 2,
        process: async (job) => {
          done.push(String(job.id))
        },
      })
      const load = await busy(SLOW_FOR_MS - 2_000)
      await fault_
      end(through)
      const seconds = await worksAgain(queues, done, 'first')
      // A loop that spins is busy all the time; the other work of this process makes a working one look busier.
      expect(load).toBeLessThan(0.5)
      record({
        fault,
        promise: 'jobs are taken by themselves when it is over, and the event loop never spins',
        happened: 'jobs were taken; the event loop was busy for less than half of the time',
        seconds,
      })
      expect(seconds).toBeLessThan(30)
    },
  )
})

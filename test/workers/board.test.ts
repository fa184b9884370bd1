import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type Life, openLife } from './life.ts'

const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
refresh: [activity]
start: "2026-03-02"
`
let project: TemporaryProject
let life: Life
let redis: RedisServer | undefined
beforeEach(async () => {
  project = await generatedProject({ customers: 5000, schedule: SCHEDULE })
})
afterEach(async () => {
  await life.close()
  await redis?.remove()
  redis = undefined
  await project.remove()
})

test.each([['postgres'], ...(hasRedis ? [['redis']] : [])])(
  'on %s a job says what it does, how many rows, and in which steps; a failed attempt is under failed',
  async (backend) => {
    redis = backend === 'redis' ? await startRedis() : undefined
    life = await openLife(project.root, { from: '2026-03-02T02:00:00Z', redisUrl: redis?.url })
    await life.until('2026-03-02T03:00:00Z', 30)
    const run = (await life.slot('features', 'activity', '2026-03-02'))?.run
    const done = await vi.waitFor(async () => {
      const [job] = await life.queues.queue('features').getJobs(['completed'])
      if (job === undefined) throw new Error('no job is completed yet')
      return job
    }, 5_000)
    expect(done).toMatchObject({
      name: 'refresh activity 2026-03-02',
      id: `${run}-a1`,
      data: { run, attempt: 1, slot: 'activity:2026-03-02' },
      returnvalue: 'published 5000 rows',
      progress: { text: 'published', rows: 5000, total: 5000 },
    })
    const { logs } = await life.queues.queue('features').getJobLogs(`${run}-a1`)
    expect(logs.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['resolve', 'compute', 'publish'])

    await project.write('features/activity/features.sql', 'SELECT customer_id, nothing FROM events')
    await life.until('2026-03-03T03:00:00Z', 60)
    // The queue hears of it after the ledger.
    const failed = await vi.waitFor(async () => {
      const [job] = await life.queues.queue('features').getJobs(['failed'])
      if (job === undefined) throw new Error('no job has failed yet')
      return job
    }, 5_000)
    expect(failed.name).toBe('refresh activity 2026-03-03')
    expect(failed.failedReason).toMatch(/^held: .*nothing/)
  },
)

import { pino } from 'pino'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { reconcile, reconcileBackfills } from '../../src/host/reconcile.ts'
import { openQueues, type Queues } from '../../src/jobs/queue/queues.ts'
import type { Effects, Reconciler } from '../../src/jobs/reconciler.ts'
import type { Database } from '../../src/ledger/connection/database.ts'
import { attemptId, listRuns } from '../../src/ledger/nights/run-records.ts'
import { listSlots } from '../../src/ledger/nights/slots.ts'
import { parseDuration } from '../../src/project/time/duration.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { nightly, projectOf } from '../jobs/nights.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import { askForFeatures, runningBackfill } from './asked-features.ts'

const today = Temporal.Now.plainDateISO('UTC')

/** Every night at midnight UTC refreshes a view; the schedule began some nights ago. */
function projectFrom(nightsAgo: number, catchUp: 'all' | 'latest' | 'none') {
  const start = today.subtract({ days: nightsAgo }).toString()
  const schedule = nightly({
    cron: '0 0 * * *',
    timezone: 'UTC',
    score: [],
    refresh: ['activity'],
    start,
    deadline: undefined,
    catch_up: { policy: catchUp, max: 30 },
    retry: { attempts: 3, backoff: parseDuration('30s'), wait_for_data: parseDuration('0s') },
  })
  return projectOf([schedule], {}, 'UTC')
}

/** Nothing here fails or ends: what would be told is a mistake of the test. */
const effects: Effects = {
  attemptLost: () => Promise.reject(new Error('no attempt was lost')),
  finishPublication: () => Promise.reject(new Error('nothing was publishing')),
  deadlineMissed: () => Promise.reject(new Error('there is no deadline')),
  nightGivenUp: () => Promise.resolve(),
  slotFailed: () => Promise.reject(new Error('no slot failed')),
  slotSkipped: () => Promise.resolve(),
}

/** Asks for features as a running backfill does. @returns their slots */
async function backfilled(database: Database, labels: string[]): Promise<number[]> {
  const id = await runningBackfill(database)
  const slots: number[] = []
  for (const label of labels) slots.push(await askForFeatures(database, label, id))
  return slots
}

describe('the reconciler on a real ledger', () => {
  let fresh: FreshDatabase
  let queues: Queues
  let redis: RedisServer | undefined
  beforeEach(async () => {
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await queues?.close()
    await redis?.remove()
    redis = undefined
    await fresh.drop()
  })

  const open = async (redisUrl?: string): Promise<Queues> =>
    openQueues({ databaseUrl: fresh.url, log: () => {}, ...(redisUrl === undefined ? {} : { redisUrl }) })

  const reconciler = (project: Reconciler['project']): Reconciler => ({
    database: fresh.database,
    queues,
    log: pino({ level: 'silent' }),
    project,
    effects,
    scope: 'calendar',
  })

  test('expects the coming 48 hours, and runs each night that was missed once', async () => {
    queues = await open()
    await reconcile(reconciler(() => projectFrom(5, 'all')))
    const slots = await listSlots(fresh.database.pool)
    const ahead = slots.filter((slot) => Date.parse(slot.due ?? '') > Date.now())
    expect(ahead.length).toBeGreaterThanOrEqual(2)
    expect(slots.filter((slot) => slot.state === 'queued').map((slot) => slot.partition)).toEqual(
      [0, 1, 2, 3, 4, 5].map((ago) => today.subtract({ days: ago }).toString()),
    )
  })

  test('what comes after a night is enqueued though the clock moves on with each look at the schedule', async () => {
    queues = await open()
    const project = projectFrom(0, 'all')
    const at = reconciler(() => project)
    await reconcile(at)
    // Nothing is left to be done at once: tonight is published.
    await fresh.database.pool.query(
      `update nightshift.runs set state = 'published', ended_at = now() where state = 'queued'`,
    )
    const { rows } = await fresh.database.pool.query<{ run: string }>(
      `update nightshift.slots set state = 'published', published_run = run, published_at = now()
        where run is not null returning run`,
    )
    const { actions } = await reconcile(at)
    expect(actions.map(({ type }) => type)).toEqual(['see-schedule'])
    expect(await queues.has('parity', `parity-${rows[0]?.run}`)).toBe(true)
  })

  test.each([
    ['latest', ['queued', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped']],
    ['all', ['queued', 'queued', 'queued', 'queued', 'queued', 'queued']],
  ] as const)('after five nights down, catch_up %s leaves the newest first: %s', async (policy, states) => {
    queues = await open()
    await reconcile(reconciler(() => projectFrom(5, policy)))
    const past = (await listSlots(fresh.database.pool)).filter(
      (slot) => Date.parse(slot.due ?? '') <= Date.now(),
    )
    expect(past.map((slot) => slot.state)).toEqual(states)
    for (const slot of past.filter((each) => each.state === 'skipped'))
      expect(slot.reason).toContain('catch_up latest')
  })

  test('two schedulers at once, time after time, make one run a slot and one job a run', async () => {
    queues = await open()
    const project = projectFrom(4, 'all')
    for (let round = 0; round < 50; round++) {
      await fresh.database.pool.query(
        'truncate nightshift.slots, nightshift.runs, nightshift.schedules cascade',
      )
      await queues.queue('features').obliterate()
      await Promise.all([reconcile(reconciler(() => project)), reconcile(reconciler(() => project))])
      const runs = await listRuns(fresh.database.pool)
      expect(new Set(runs.map((run) => run.slot)).size).toBe(5)
      expect(runs).toHaveLength(5)
      expect(await queues.queue('features').getJobCountByTypes('waiting')).toBe(5)
    }
  })

  test.skipIf(!hasRedis)('a wiped queue is filled again from the ledger, with the same jobs', async () => {
    redis = await startRedis()
    queues = await open(redis.url)
    const it = reconciler(() => projectFrom(3, 'all'))
    await reconcile(it)
    const runs = await listRuns(fresh.database.pool)
    await redis.flushAll()
    for (const run of runs) expect(await queues.has('features', attemptId(run.id, 1))).toBe(false)
    await reconcile(it)
    for (const run of runs) expect(await queues.has('features', attemptId(run.id, 1))).toBe(true)
    expect(await listRuns(fresh.database.pool)).toHaveLength(runs.length)
    expect(await queues.queue('features').getJobCountByTypes('waiting')).toBe(runs.length)
  })

  test('the nights of a backfill wait for its own round, and those that are due do not wait for them', async () => {
    queues = await open()
    const it = reconciler(() => projectFrom(1, 'latest'))
    const slots = await backfilled(fresh.database, ['2026-01-01', '2026-01-02'])
    await reconcile(it)
    const stateOf = async () => {
      const all = await listSlots(fresh.database.pool)
      return Object.fromEntries(all.filter(({ id }) => slots.includes(id)).map((s) => [s.partition, s.state]))
    }
    expect(await queues.queue('features').getJobCountByTypes('waiting')).toBe(1)
    expect(await stateOf()).toEqual({ '2026-01-01': 'expected', '2026-01-02': 'expected' })
    await reconcileBackfills(it)
    expect(await queues.queue('features').getJobCountByTypes('waiting')).toBe(1)
    expect(await queues.queue('features-backfill').getJobCountByTypes('waiting')).toBe(2)
    expect(await stateOf()).toEqual({ '2026-01-01': 'queued', '2026-01-02': 'queued' })
    expect((await reconcile(it)).actions.map(({ type }) => type)).toEqual(['see-schedule'])
    expect((await reconcileBackfills(it)).actions).toEqual([])
    // A job that is lost is added again by the same round.
    await queues.queue('features-backfill').obliterate()
    expect((await reconcile(it)).actions.map(({ type }) => type)).toEqual(['see-schedule'])
    expect((await reconcileBackfills(it)).actions).toHaveLength(2)
    expect(await queues.queue('features-backfill').getJobCountByTypes('waiting')).toBe(2)
  })

  test('a night that is due while a backfill publishes it is left to the worker that does', async () => {
    queues = await open()
    const it = reconciler(() => projectFrom(1, 'latest'))
    await backfilled(fresh.database, [today.toString()])
    await reconcileBackfills(it)
    await fresh.database.pool.query(
      "insert into nightshift.processes (id, role, host, pid) values ('worker-1', 'worker', 'here', 1)",
    )
    await fresh.database.pool.query(
      `with run as (update nightshift.runs set state = 'publishing', attempt = 1, next_attempt_at = null returning id)
       insert into nightshift.attempts (run, number, worker, fence, seen_at) select id, 1, 'worker-1', 1, now() from run`,
    )
    await fresh.database.pool.query("update nightshift.slots set state = 'publishing'")
    // The effects of this test refuse to finish a publication.
    for (const round of [await reconcile(it), await reconcileBackfills(it)])
      expect(round).toMatchObject({ failures: [] })
  })

  test('an edited schedule moves what lies ahead, and leaves what was', async () => {
    queues = await open()
    const before = projectFrom(2, 'all')
    await reconcile(reconciler(() => before))
    const edited = structuredClone(before)
    const schedule = edited.schedules.nightly
    if (schedule === undefined) throw new Error('the schedule is there')
    schedule.cron = '30 3 * * *'
    await reconcile(reconciler(() => edited))
    const slots = await listSlots(fresh.database.pool)
    const tomorrow = slots.find((slot) => slot.partition === today.add({ days: 1 }).toString())
    expect(tomorrow?.due).toBe(`${today.add({ days: 1 }).toString()}T03:30:00.000Z`)
    const yesterday = slots.find((slot) => slot.partition === today.subtract({ days: 1 }).toString())
    expect(yesterday?.due).toBe(`${today.subtract({ days: 1 }).toString()}T00:00:00.000Z`)
  })
})

import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { beat, recordReconciled } from '../../../src/ledger/nights/alive.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { recordProfile } from '../../../src/monitoring/drift/record.ts'
import type { Drift } from '../../../src/pipeline/drift/drift-figures.ts'
import { NO_FIGURES } from '../../../src/pipeline/drift/measures.ts'
import { hasRedis, type RedisServer, startRedis } from '../../jobs/redis-server.ts'
import { type Exposition, readExposition } from '../exposition.ts'
import { openSite, type Site, usersOf } from '../site.ts'
import { openWire } from '../wire.ts'

let site: Site
let redis: RedisServer | undefined
const releases: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const release of releases.splice(0)) await release()
  await site.close()
  await redis?.remove()
  redis = undefined
})

async function scrape(headers: Record<string, string> = {}): Promise<Exposition> {
  const answer = await site.ask('/metrics', { headers })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return readExposition(await answer.text())
}

/** The values of a metric by its labels, in the order in which they are written: `scores/value` → 100. */
function values({ samples }: Exposition, name: string): Record<string, number> {
  const own = samples.filter((sample) => sample.name === `nightshift_${name}`)
  return Object.fromEntries(own.map(({ labels, value }) => [Object.values(labels).join('/'), value]))
}

const SETTINGS = { attempts: 3, backoff_ms: 1000, timeout_ms: 1000, wait_until: null }

/** A night of the model that was published, with steps and drift. */
async function publishedNight(partition: string, rows: number, drift: (Drift & { alerting: boolean })[]) {
  return transaction(site.database, async (client) => {
    const as_of = `${partition}T00:00:00.000Z`
    const slot = await ensureSlot(client, 'scores', 'value', { instant: as_of, label: partition })
    const run = await createRun(client, slot, {
      trigger: 'schedule',
      forced: false,
      version: 1,
      backfill: null,
      settings: SETTINGS,
      by: null,
    })
    await client.query(
      `update nightshift.runs set state = 'published', rows = $2, attempt = 2, started_at = now() - interval '12.5 seconds',
         ended_at = now() where id = $1`,
      [run, rows],
    )
    await client.query(
      `insert into nightshift.attempts (run, number, fence, worker, ended_at, outcome, steps) values
         ($1, 1, 1, 'w', now(), 'failed', '[{"step": "resolve", "ms": 9000}]'),
         ($1, 2, 2, 'w', now(), 'published', '[{"step": "resolve", "ms": 250}, {"step": "compute", "ms": 1500}]')`,
      [run],
    )
    await client.query(
      `update nightshift.slots set state = 'published', published_run = $2, run = $2, published_at = now() where id = $1`,
      [slot.id, run],
    )
    await recordProfile(
      client,
      {
        run,
        model: 'value',
        version: 1,
        as_of,
        partition,
        backfilled: false,
        rows,
        profile: { rows, entities: rows, left_out: [], columns: [] },
        reference: 'holdout',
        note: null,
        estimate: null,
        seconds: 0.1,
      },
      drift,
    )
    return run
  })
}

function driftOf(
  column: string,
  over: Partial<Drift & { alerting: boolean }>,
): Drift & { alerting: boolean } {
  return {
    column,
    score: false,
    rows: 100,
    ...NO_FIGURES,
    null_rate: 0,
    unseen_rate: null,
    reference: { rows: 100, null_rate: 0, mean: 1 },
    mean: 1,
    statistic: 'psi',
    threshold: 0.1,
    threshold_from: 'min_effect',
    p: null,
    drifted: false,
    alerting: false,
    fired: [],
    note: null,
    ...over,
  }
}

test('the ledger in numbers: slots, rows, steps, drift, incidents, mails, processes', async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }) })
  const night = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
  await publishedNight(night(3), 90, [driftOf('spend', { psi: 0.9, drifted: true, alerting: true })])
  await publishedNight(night(2), 100, [
    driftOf('spend', { psi: 0.25, drifted: true, alerting: true }),
    driftOf('plan "x"\\', { statistic: 'jensen_shannon', jensen_shannon: 0.02 }),
    driftOf('empty', { threshold: null, note: 'not enough rows' }),
  ])
  const { pool } = site.database
  await pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, state, deadline) values
       ('scores', 'value', now() - interval '1 day', 'a', 'failed', now() - interval '1 hour'),
       ('scores', 'value', now() + interval '1 day', 'b', 'expected', now() + interval '2 days'),
       ('features', 'activity', now() - interval '60 days', 'c', 'failed', now() - interval '60 days')`,
  )
  await pool.query(
    `insert into nightshift.incidents (subject_kind, subject, kind, closed_at, detail) values
       ('model', 'value', 'contract', null, '{}'), ('model', 'value', 'drift', now(), '{}'), ('view', 'activity', 'contract', null, '{}')`,
  )
  await pool.query(
    `insert into nightshift.outbox (recipient, subject, message_id, body_text, body_html, created_at, sent_at) values
       ('a@example.com', 's', '<1>', '', '', now() - interval '90 seconds', null), ('a@example.com', 's', '<2>', '', '', now(), now())`,
  )
  const id = `worker-${randomUUID()}`
  releases.push(await beat(site.database, { id, role: 'worker', places: 2 }))
  await recordReconciled(site.database, id)

  const read = await scrape()
  expect(values(read, 'slots')).toEqual({
    'scores/value/published': 2,
    'scores/value/failed': 1,
    'scores/value/expected': 1,
  })
  expect(values(read, 'lateness_seconds')['scores/value']).toBeCloseTo(3600, -2)
  expect(values(read, 'newest_partition_rows')).toEqual({ 'scores/value': 100 })
  expect(values(read, 'newest_run_seconds')).toEqual({ 'scores/value': 12.5 })
  expect(values(read, 'newest_run_step_seconds')).toEqual({
    'scores/value/resolve': 0.25,
    'scores/value/compute': 1.5,
  })
  expect(values(read, 'drift')).toEqual({
    'value/spend/false/psi': 0.25,
    'value/plan "x"\\/false/jensen_shannon': 0.02,
  })
  expect(values(read, 'drift_threshold')).toEqual({
    'value/spend/false': 0.1,
    'value/plan "x"\\/false': 0.1,
  })
  expect(values(read, 'drift_alerting')).toEqual({
    'value/spend/false': 1,
    'value/plan "x"\\/false': 0,
    'value/empty/false': 0,
  })
  expect(values(read, 'incidents_open')).toEqual({ contract: 2 })
  expect(values(read, 'outbox_waiting_mails')).toEqual({ '': 1 })
  expect(values(read, 'outbox_oldest_waiting_seconds')['']).toBeCloseTo(90, -1)
  expect(values(read, 'workers_alive')).toEqual({ '': 1 })
  expect(Object.keys(values(read, 'process_heartbeat_age_seconds'))).toEqual([`${id}/worker`])
  expect(values(read, 'reconcile_age_seconds')['']).toBeLessThan(60)
  expect(values(read, 'database_up')).toEqual({ '': 1 })
})

test('every metric has its help and type, is named after us, and times are in seconds', async () => {
  site = await openSite()
  const { help, type, samples } = await scrape()
  expect(Object.keys(help).length).toBeGreaterThan(15)
  expect(Object.keys(help)).toEqual(Object.keys(type))
  for (const [name, text] of Object.entries(help)) {
    expect(name).toMatch(/^nightshift_/)
    expect(text.length, name).toBeGreaterThan(10)
    if (/age|lateness|oldest/.test(name)) expect(name).toMatch(/_seconds$/)
  }
  for (const { name } of samples) expect(help).toHaveProperty(name)
})

test.each([['postgres'], ...(hasRedis ? [['redis']] : [])])(
  'the queues in numbers on %s, with the age of the job in front',
  async (backend) => {
    redis = backend === 'redis' ? await startRedis() : undefined
    site = await openSite(redis === undefined ? {} : { redisUrl: redis.url })
    const add = (id: string, seconds: number) =>
      site.queues.queue('scoring').add('score', {}, { jobId: id, timestamp: Date.now() - seconds * 1000 })
    await add('r1-a1', 500)
    await add('r2-a1', 20)
    const read = await scrape()
    expect(values(read, 'queue_jobs')).toMatchObject({
      'scoring/waiting': 2,
      'scoring/active': 0,
      'features/waiting': 0,
    })
    const ages = values(read, 'queue_oldest_waiting_seconds')
    expect(ages.scoring).toBeGreaterThanOrEqual(500)
    expect(ages.scoring).toBeLessThan(560)
    expect(ages.features).toBe(0)
  },
)

test('where the database is away that is what is said, and the queue is still counted', async () => {
  const wire = await openWire()
  releases.push(wire.close)
  site = await openSite({ through: wire.through })
  await wire.cut()
  const read = await scrape()
  expect(values(read, 'database_up')).toEqual({ '': 0 })
  expect(values(read, 'queue_up')).toEqual({ '': 1 })
  expect(values(read, 'slots')).toEqual({})
  expect(values(read, 'queue_jobs')).toMatchObject({ 'scoring/waiting': 0 })
})

test('without a token this machine may ask, and no proxy on it', async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }) })
  expect((await site.ask('/metrics')).status).toBe(200)
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip']) {
    const answer = await site.ask('/metrics', { headers: { [header]: '127.0.0.1' } })
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining('NIGHTSHIFT_METRICS_TOKEN'),
    ])
  }
})

test('with a token only who brings it may ask', async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }), metricsToken: 'a-long-token' })
  const asked = async (authorization?: string) =>
    (await site.ask('/metrics', authorization === undefined ? {} : { headers: { authorization } })).status
  expect(await asked()).toBe(401)
  expect(await asked('Bearer a-long-toke')).toBe(401)
  expect(await asked('Basic a-long-token')).toBe(401)
  expect(await asked('Bearer a-long-token')).toBe(200)
  const proxied = { authorization: 'Bearer a-long-token', 'x-forwarded-for': '10.0.0.1' }
  expect((await site.ask('/metrics', { headers: proxied })).status).toBe(200)
})

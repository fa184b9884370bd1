import { randomUUID } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { NoAnswer } from '../../../src/ledger/connection/no-answer.ts'
import { unavailable } from '../../../src/ledger/connection/unavailable.ts'
import { beat, recordReconciled } from '../../../src/ledger/nights/alive.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { hasRedis, type RedisServer, startRedis } from '../../jobs/redis-server.ts'
import { openSite, type Site, usersOf } from '../site.ts'
import { openWire } from '../wire.ts'

let site: Site
let redis: RedisServer | undefined
const releases: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const release of releases.splice(0)) await release()
  await site?.close()
  await redis?.remove()
  redis = undefined
})

interface Readiness {
  status: number
  text: string
  /** The reasons of what is bad, by check. */
  bad: Record<string, string>
}

async function ready(): Promise<Readiness> {
  const answer = await site.ask('/readyz')
  const text = await answer.text()
  const body: { checks: { check: string; ok: boolean; reason: string }[] } = JSON.parse(text)
  const bad = body.checks.filter(({ ok }) => !ok).map(({ check, reason }) => [check, reason])
  return { status: answer.status, text, bad: Object.fromEntries(bad) }
}

/** `/readyz` looks once a second: asked until it has looked again. */
function readyWhen(expected: (now: Readiness) => void): Promise<void> {
  return vi.waitFor(async () => expected(await ready()), { timeout: 60_000, interval: 250 })
}

/** A process that plans by the calendar and takes jobs, as `nightshift up` is. */
async function up(): Promise<string> {
  const id = `worker-${randomUUID()}`
  releases.push(await beat(site.database, { id, role: 'worker', places: 2 }))
  await recordReconciled(site.database, id)
  return id
}

test('the process lives, whoever asks', async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }) })
  const answer = await site.ask('/healthz')
  expect([answer.status, await answer.json()]).toEqual([
    200,
    { status: 'ok', reason: expect.stringMatching(/^responds, up for \d+ s$/) },
  ])
})

test('nothing works before there is a scheduler and a worker; then all is ready', async () => {
  site = await openSite({ users: usersOf({ ann: 'operator' }) })
  expect(await ready()).toMatchObject({
    status: 503,
    bad: { reconcile: 'no scheduler has reconciled yet', workers: 'no worker is alive' },
  })
  await up()
  await readyWhen((now) => expect(now).toMatchObject({ status: 200, bad: {} }))
})

test('a scheduler that no longer reconciles, and a worker that no longer beats, are named with their age', async () => {
  site = await openSite()
  const id = await up()
  await readyWhen(({ status }) => expect(status).toBe(200))
  await releases.pop()?.()
  await site.database.pool.query(
    `insert into nightshift.processes (id, role, host, pid, places, seen_at, reconciled_at)
     values ($1, 'worker', 'here', 1, 2, now() - interval '20 seconds', now() - interval '10 minutes')`,
    [id],
  )
  await readyWhen((now) =>
    expect(now).toMatchObject({
      status: 503,
      bad: {
        reconcile: 'a scheduler last reconciled without a failure 10 min ago',
        workers: 'no worker is alive',
      },
    }),
  )
})

test('a slot that is due and does not start is bad; one that waits for its view, or was just due, is not', async () => {
  site = await openSite()
  await up()
  const put = (name: string, due: string, reason: string | null) =>
    transaction(site.database, async (client) => {
      const slot = await ensureSlot(client, 'scores', name, {
        instant: '2026-03-02T00:00:00Z',
        label: '2026-03-02',
      })
      await client.query(
        `update nightshift.slots set schedule = 'nightly', due = now() - $2::interval, reason = $3 where id = $1`,
        [slot.id, due, reason],
      )
    })
  await put('just-due', '1 minute', null)
  await put('behind-its-view', '5 hours', 'waits for features of activity')
  await readyWhen((now) => expect(now.bad).toEqual({}))
  await put('forgotten', '3 hours', null)
  await readyWhen((now) => {
    expect(now.bad).toEqual({
      slots: expect.stringMatching(/^1 slot is due and not started, the oldest for 3 h( \d+ min)?$/),
    })
    expect(now.status).toBe(503)
    expect(now.text).not.toContain('forgotten')
  })
})

test('a job that waits is bad when nothing is worked on, and named by its queue', async () => {
  site = await openSite()
  await up()
  const scoring = site.queues.queue('scoring')
  await scoring.add('score value 2026-03-03', {}, { jobId: 'r2-a1', timestamp: Date.now() - 600_000 })
  await readyWhen(({ bad, text }) => {
    expect(bad).toEqual({})
    expect(text).toContain('the oldest job waits: scoring 10 min')
  })
  await site.queues
    .queue('features')
    .add('refresh', {}, { jobId: 'r1-a1', timestamp: Date.now() - 3_600_000 })
  await readyWhen(({ bad }) =>
    expect(bad).toEqual({
      jobs: expect.stringMatching(
        /^the oldest job waits: features 1 h( \d+ min)?, scoring 1\d min, and nothing is running$/,
      ),
    }),
  )
})

test.each([
  ['refuses connections', 'refuses connections'],
  ['takes them and does not answer', 'does not answer within 2 s'],
] as const)(
  'where the database %s the answer comes soon, says so, and tells no secret',
  async (how, said) => {
    const wire = await openWire()
    releases.push(wire.close)
    site = await openSite({ through: wire.through })
    await up()
    await readyWhen(({ status }) => expect(status).toBe(200))
    if (how === 'refuses connections') await wire.cut()
    else wire.freeze()
    await readyWhen((now) => {
      expect(now.status).toBe(503)
      expect(now.bad).toEqual({ database: `the database ${said}` })
      expect(now.text).not.toMatch(/postgres:|127\.0\.0\.1|password|ECONN/)
    })
    expect((await site.ask('/healthz')).status).toBe(200)
  },
)

test.skipIf(!hasRedis)(
  'without Redis the answer comes soon and says so, and is ready when it is back',
  async () => {
    redis = await startRedis()
    site = await openSite({ redisUrl: redis.url })
    await up()
    await readyWhen(({ status }) => expect(status).toBe(200))
    await redis.kill()
    await readyWhen((now) =>
      expect(now).toMatchObject({ status: 503, bad: { queue: 'Redis refuses connections' } }),
    )
    await redis.start()
    await readyWhen((now) => expect(now).toMatchObject({ status: 200, bad: {} }))
  },
)

test('a page without the database says in a sentence what is the matter, and that nothing is lost', async () => {
  const wire = await openWire()
  releases.push(wire.close)
  site = await openSite({ through: wire.through })
  expect((await site.ask('/')).status).toBe(200)
  await wire.cut()
  for (const path of ['/', '/runs', '/models/value/nights.csv', '/runs/abc']) {
    const answer = await site.ask(path)
    const text = await answer.text()
    expect([path, answer.status]).toEqual([path, 503])
    expect(text).toMatch(
      /The database (?:refuses connections|closed the connection), so no page can be shown/,
    )
    expect(text).not.toMatch(/postgres:|127\.0\.0\.1|password|ECONN|log of the web process/)
  }
})

test.each<[string, unknown, string | undefined]>([
  ['a refused connection', Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'refuses connections'],
  [
    'one that was refused at each of its addresses',
    new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
    'refuses connections',
  ],
  ['no answer', new NoAnswer(2_000), 'does not answer within 2 s'],
  ['a pool that gave up', new Error('timeout exceeded when trying to connect'), 'does not answer'],
  ['a server that ended', new Error('Connection terminated unexpectedly'), 'closed the connection'],
  ['one that starts', Object.assign(new Error('starting up'), { code: '57P03' }), 'is starting or stopping'],
  ['a missing file', Object.assign(new Error('no such file'), { code: 'ENOENT' }), undefined],
  ['a query that is wrong', Object.assign(new Error('syntax error'), { code: '42601' }), undefined],
])('of a server that is away, %s is told from what is another error', (_, error, said) => {
  expect(unavailable(error)).toBe(said)
})

test('work does not progress beside a run that nobody works on, or a partition that cannot be published', async () => {
  site = await openSite()
  const worker = await up()
  const { pool } = site.database
  const put = (id: string, seen: string) =>
    transaction(site.database, async (client) => {
      const label = '2026-03-02'
      const slot = await ensureSlot(client, 'scores', id, { instant: '2026-03-02T00:00:00Z', label })
      await client.query(
        `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, attempt)
         values ($1, $2, 'scores', $1, '2026-03-02T00:00:00Z', $3, 'running', 'manual', '{}', 1)`,
        [id, slot.id, label],
      )
      await client.query(
        `insert into nightshift.attempts (run, number, fence, worker, seen_at)
         values ($1, 1, 1, $2, clock_timestamp() - $3::interval)`,
        [id, worker, seen],
      )
    })
  await put('worked-on', '5 seconds')
  await readyWhen((now) => expect(now.bad).toEqual({}))
  await put('let-go', '90 seconds')
  await readyWhen((now) => {
    expect(now.bad.runs).toMatch(/^1 run is started but without a live worker for \d+ min$/)
    expect(now.status).toBe(503)
  })
  await pool.query(
    `update nightshift.runs set state = 'publishing', next_attempt_at = now() + interval '5 seconds' where id = 'let-go'`,
  )
  await readyWhen((now) =>
    expect(now.bad.runs).toBe(
      '1 partition is computed but could not be published yet: see the open incident',
    ),
  )
  await pool.query(`update nightshift.runs set state = 'published' where id = 'let-go'`)
  await readyWhen((now) => expect(now.bad).toEqual({}))
})

test('a process is not ready once another build has migrated the ledger to what this one does not know', async () => {
  site = await openSite()
  await up()
  await readyWhen(({ status }) => expect(status).toBe(200))
  await site.database.pool.query(
    `insert into nightshift.migrations (name, sha256) values ('999_tomorrow.sql', 'x')`,
  )
  await readyWhen((now) => {
    expect(now.status).toBe(503)
    expect(now.bad.build).toMatch(/^the ledger is newer than this build/)
  })
})

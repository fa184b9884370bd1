import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enqueueOperations } from '../../../src/actions/operations/enqueue-operations.ts'
import {
  claimOperation,
  endOperation,
  handBack,
  operationsOf,
} from '../../../src/actions/operations/operation-record.ts'
import { requestDrill } from '../../../src/actions/operations/request-operation.ts'
import { requestDueDrills } from '../../../src/actions/operations/scheduled-drills.ts'
import { type Host, openHost } from '../../../src/host/host.ts'
import { openSession, type Session } from '../../../src/host/session.ts'
import {
  keepSimulation,
  listSimulations,
  type Simulation,
} from '../../../src/host/simulation/simulation-folder.ts'
import type { Reconciler } from '../../../src/jobs/reconciler.ts'
import { MIGRATIONS_LOCK } from '../../../src/ledger/connection/advisory.ts'
import { modelNamed } from '../../../src/project/named.ts'
import { drillsOf } from '../../../src/readiness/drills/drill-record.ts'
import { nightshift } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'

const SCHEDULE = `schedule: nightly
cron: "30 2 * * *"
score: [value]
deadline: "06:00"
retry: { attempts: 3, backoff: 10s }
drills: { failure: "0 10 * * *", rollback: "0 10 * * *" }
`
let project: TemporaryProject
let fresh: FreshDatabase
let session: Session
let host: Host | undefined
const pool = () => fresh.database.pool
const ledger = () => ({ project: session.project, database: session.database })

beforeAll(async () => {
  project = await generatedProject({ customers: 200, schedule: SCHEDULE })
  fresh = await freshDatabase()
  process.env.DATABASE_URL = fresh.url
  const at = { project: project.root, env: { DATABASE_URL: fresh.url } }
  for (const args of [
    ['register', 'value', join(project.root, 'model.onnx'), '--as-of', '2026-03-02'],
    ['promote', 'value', '--version', '1', '--override', 'a test', '--by', 'ann'],
  ]) {
    const { code, stderr } = await nightshift(args, at)
    expect(code, stderr).toBe(0)
  }
  session = await openSession({ project: project.root }, 'worker', { quiet: true })
})
afterAll(async () => {
  await host?.close()
  await session?.close()
  delete process.env.DATABASE_URL
  await fresh?.drop()
  await project?.remove()
})

/** As if the last look had been two days ago: each drill has ticked twice since. */
const twoDaysPass = () =>
  pool().query(`update nightshift.drill_schedules set seen_at = seen_at - interval '2 days'`)
const states = async () =>
  (await operationsOf(pool(), 'value')).map(({ drill, state, schedule }) => [drill, state, schedule])

/** A night of another model, which is tried again tomorrow: nobody takes it before. */
async function beginNight(): Promise<void> {
  await pool().query(
    `with s as (insert into nightshift.slots (kind, name, as_of, partition, state)
                values ('scores', 'other', '2026-03-02T00:00Z', '2026-03-02', 'queued') returning id)
     insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, next_attempt_at)
     select 'anight01', id, 'scores', 'other', '2026-03-02T00:00Z', '2026-03-02', 'queued', 'schedule', '{}',
            now() + interval '1 day' from s`,
  )
}

async function endNight(): Promise<void> {
  await pool().query(`delete from nightshift.runs where id = 'anight01'`)
  await pool().query(`delete from nightshift.slots where name = 'other'`)
}

/** The record of a drill whose process is gone: no process has the number 2^31 - 1. */
const killed = (id: string, days: number): Simulation => ({
  id,
  model: 'value',
  from: '2026-03-02',
  to: '2026-03-02',
  champion: 1,
  challenger: null,
  drill: 'failure',
  state: 'running',
  pid: 2 ** 31 - 1,
  started_at: new Date(Date.now() - days * 86_400_000).toISOString(),
  seconds: null,
  reason: null,
})

/** The jobs that a round would put into the queue. */
async function enqueued(): Promise<string[]> {
  const added: string[] = []
  const queues = { add: async (_: string, { title }: { title: string }) => void added.push(title) }
  await enqueueOperations({ ...ledger(), queues, project: () => session.project } as unknown as Reconciler)
  return added
}

test('a drill that is new begins with its next tick; missed ticks are made up for once', async () => {
  expect(await requestDueDrills(ledger())).toEqual([])
  expect(await requestDueDrills(ledger())).toEqual([])
  await twoDaysPass()
  expect(await requestDueDrills(ledger())).toEqual(['value rollback', 'value failure'])
  expect(await requestDueDrills(ledger())).toEqual([])
  // Those that still wait are not asked for a second time.
  await twoDaysPass()
  expect(await requestDueDrills(ledger())).toEqual([])
  expect(await states()).toEqual([
    ['failure', 'requested', 'nightly'],
    ['rollback', 'requested', 'nightly'],
  ])
})

test('a paused schedule drills nothing, and begins anew afterwards', async () => {
  const nightly = session.project.schedules.nightly
  if (nightly === undefined) throw new Error('the project has no schedule')
  const paused = { ...session.project, schedules: { nightly: { ...nightly, paused: true } } }
  await twoDaysPass()
  expect(await requestDueDrills({ ...ledger(), project: paused })).toEqual([])
  expect(await requestDueDrills(ledger())).toEqual([])
})

test('drills of a model run one at a time, and none while a night runs', async () => {
  expect(await enqueued()).toEqual(['drill rollback value'])
  const [failure, rollback] = await operationsOf(pool(), 'value')
  if (failure === undefined || rollback === undefined) throw new Error('two drills were asked for')
  await pool().query(
    `insert into nightshift.processes (id, role, host, pid, places) values ('w', 'worker', 'node', 1, 1)`,
  )
  expect(await claimOperation(pool(), rollback.id, 'w')).toMatchObject({ state: 'running', tries: 1 })
  expect(await claimOperation(pool(), rollback.id, 'other')).toBeUndefined()
  expect(await claimOperation(pool(), failure.id, 'other')).toBeUndefined()
  expect(await enqueued()).toEqual([])
  await handBack(pool(), { id: rollback.id, process: 'w' }, 'a night runs')
  expect(await enqueued()).toEqual(['drill rollback value'])
  // A process that is not seen any more works on nothing.
  await claimOperation(pool(), rollback.id, 'gone')
  expect(await enqueued()).toEqual(['drill rollback value'])
  expect(await claimOperation(pool(), rollback.id, 'w')).toMatchObject({ tries: 2 })
  await endOperation(
    pool(),
    { id: rollback.id, process: 'w' },
    { state: 'done', passed: true, outcome: 'a test' },
  )
  expect(
    await endOperation(
      pool(),
      { id: rollback.id, process: 'w' },
      { state: 'failed', passed: null, outcome: '' },
    ),
  ).toBe(false)
  await beginNight()
  expect(await enqueued()).toEqual([])
  await endNight()
  await pool().query(`delete from nightshift.processes where id = 'w'`)
  expect(await enqueued()).toEqual(['drill failure value'])
})

// Takes 10 s: drills live through nights in copies.
test('a worker does it: what could not be tried, or failed, is mailed once; what passed is a record', async () => {
  // No night has published features, so nothing can be copied.
  host = await openHost(session, { role: 'worker', places: 1, scope: 'ledger' })
  const newest = async () => (await operationsOf(pool(), 'value'))[0]
  await expect.poll(newest, { timeout: 60_000 }).toMatchObject({
    drill: 'failure',
    state: 'failed',
    passed: null,
    outcome: expect.stringContaining('expected a night with published features of activity'),
  })
  const mails = async () =>
    (
      await pool().query<{ recipient: string; subject: string }>(
        `select recipient, subject from nightshift.outbox where subject like '%drill%' order by recipient`,
      )
    ).rows
  const mailed = ['crm@example.com', 'oncall@example.com'].map((recipient) => ({
    recipient,
    subject: 'value: drill failure could not be tried',
  }))
  expect(await mails()).toEqual(mailed)
  expect(await drillsOf(pool(), 'value')).toEqual([])

  const at = { project: project.root, env: { DATABASE_URL: fresh.url } }
  const refreshed = await nightshift(['refresh', 'activity', '--as-of', '2026-03-02'], at)
  expect(refreshed.code, refreshed.stderr).toBe(0)
  // Of two copies that killed drills have left, the one of the day before yesterday goes.
  for (const [id, days] of [
    ['aaaaaaaa', 2],
    ['bbbbbbbb', 0.5],
  ] as const)
    await keepSimulation(project.root, killed(id, days))
  await twoDaysPass()
  expect(await requestDueDrills(ledger())).toEqual(['value rollback', 'value failure'])
  host.wake()
  await expect
    .poll(newest, { timeout: 120_000 })
    .toMatchObject({ drill: 'failure', state: 'done', passed: true })
  expect(await drillsOf(pool(), 'value')).toMatchObject([
    { kind: 'failure', passed: true, version: 1, by: null },
    { kind: 'rollback', passed: true, version: 1 },
  ])
  expect(await mails()).toEqual(mailed)
  expect(listSimulations(project.root).map(({ id }) => id)).toEqual(['bbbbbbbb'])
})

test('a drill makes way for a night that begins, and is begun again afterwards', async () => {
  const newest = async () => (await operationsOf(pool(), 'value'))[0]
  const client = await pool().connect()
  try {
    // Its copy waits for this lock, as long as the test wants.
    await client.query(`select pg_advisory_lock(${MIGRATIONS_LOCK})`)
    const { id } = await requestDrill(ledger(), modelNamed(session.project, 'value'), {
      drill: 'failure',
      version: 1,
      by: 'ann',
    })
    host?.wake()
    await expect.poll(newest, { timeout: 60_000 }).toMatchObject({ id, state: 'running' })
    await beginNight()
    await expect
      .poll(newest, { timeout: 60_000 })
      .toMatchObject({ id, progress: 'a night has begun, so it makes way' })
    await client.query(`select pg_advisory_unlock(${MIGRATIONS_LOCK})`)
    await expect
      .poll(newest, { timeout: 60_000 })
      .toMatchObject({ id, state: 'requested', progress: 'it begins again: a night runs', tries: 0 })
    await endNight()
    host?.wake()
    await expect
      .poll(newest, { timeout: 120_000 })
      .toMatchObject({ id, state: 'done', passed: true, by: 'ann' })
  } finally {
    client.release(true)
  }
})

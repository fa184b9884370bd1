import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  brokenNights,
  findBackfill,
  leftNights,
  listBackfills,
} from '../../../src/jobs/backfills/backfill-records.ts'
import { takenNights } from '../../../src/jobs/backfills/backfill-slots.ts'
import { cancelBackfill, pauseBackfill, resumeBackfill } from '../../../src/jobs/backfills/change-backfill.ts'
import { feedBackfills } from '../../../src/jobs/backfills/feed-backfills.ts'
import type { FindStale } from '../../../src/jobs/backfills/night-now.ts'
import type { BackfillMode, BackfillPlan } from '../../../src/jobs/backfills/plan-backfill.ts'
import { startBackfill } from '../../../src/jobs/backfills/start-backfill.ts'
import { requestScores, toSettings } from '../../../src/jobs/request-run.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { listRuns } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { listSlots, lockSlot } from '../../../src/ledger/nights/slots.ts'
import { DEFAULT_RETRY } from '../../../src/project/project.ts'
import { asOfRange, parseAsOf } from '../../../src/project/time/asof.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'

let fresh: FreshDatabase
beforeEach(async () => {
  fresh = await freshDatabase()
})
afterEach(() => fresh.drop())

const asOfs = asOfRange(parseAsOf('2026-03-01', 'UTC'), parseAsOf('2026-03-06', 'UTC'), 'UTC')
const settings = toSettings(DEFAULT_RETRY, 60_000, null)

function plan(labels = asOfs.map(({ label }) => label), refresh: string | null = null): BackfillPlan {
  return {
    kind: 'scores',
    name: 'churn',
    slots: labels.map((as_of) => ({ as_of, action: 'run', reason: '', version: 1, replaces: null })),
    version: 1,
    estimate_seconds: null,
    rows: null,
    refresh: refresh === null ? [] : labels.map((as_of) => ({ view: refresh, as_of, reason: '' })),
  }
}

const start = (what: BackfillPlan = plan(), maxActive = 2, mode: BackfillMode = 'missing') =>
  startBackfill(fresh.database, what, asOfs, { maxActive, mode, settings, by: null })

/** Starts the run that a slot's request asks for, as the planner does once its features are there. */
async function begin(partition: string): Promise<string> {
  const slot = (await listSlots(fresh.database.pool, { kind: 'scores' })).find(
    (each) => each.partition === partition,
  )
  if (slot?.request == null) throw new Error(`${partition} is not asked for`)
  const { request } = slot
  return transaction(fresh.database, async (client) =>
    createRun(client, await lockSlot(client, slot.id), { ...request }),
  )
}

async function end(run: string, state: 'published' | 'failed' | 'held'): Promise<void> {
  await fresh.database.pool.query(`update nightshift.runs set state = $2, attempt = 1 where id = $1`, [
    run,
    state,
  ])
  await fresh.database.pool.query(`update nightshift.slots set state = $2 where run = $1`, [run, state])
}

/** Nothing is stale, unless a test says so. */
const feed = (stale: FindStale = async () => new Map()) =>
  feedBackfills({ database: fresh.database, log: { info: () => {}, warn: () => {} }, stale })

const asked = async () =>
  (await listSlots(fresh.database.pool, { kind: 'scores' }))
    .filter((slot) => slot.request !== null)
    .map((slot) => slot.partition)

const counts = async (id: number | undefined) => {
  const found = id === undefined ? undefined : await findBackfill(fresh.database.pool, id)
  if (found === undefined) return undefined
  const { state, nights, published, failed, held, active, left } = found
  return { state, nights, published, failed, held, active, left }
}

test('a backfill asks for as many nights as it may, newest first as planned, and ends with its last', async () => {
  const id = await start()
  await feed()
  expect(await counts(id)).toMatchObject({ state: 'running', nights: 6, active: 2, left: 4 })
  await end(await begin('2026-03-01'), 'published')
  await feed()
  expect(await asked()).toEqual(['2026-03-03', '2026-03-02'])
  for (const [label, state] of [
    ['2026-03-02', 'failed'],
    ['2026-03-03', 'held'],
    ['2026-03-04', 'published'],
    ['2026-03-05', 'published'],
    ['2026-03-06', 'published'],
  ] as const) {
    await end(await begin(label), state)
    await feed()
  }
  expect(await counts(id)).toEqual({
    state: 'done',
    nights: 6,
    published: 4,
    failed: 1,
    held: 1,
    active: 0,
    left: 0,
  })
})

test('paused, it gives back what has not begun, lets end what has, and goes on where it was', async () => {
  const id = (await start()) ?? 0
  await feed()
  const running = await begin('2026-03-01')
  await fresh.database.pool.query(`update nightshift.runs set state = 'running', attempt = 1 where id = $1`, [
    running,
  ])
  await pauseBackfill(fresh.database, id, 'ann')
  expect(await asked()).toEqual([])
  expect(await counts(id)).toMatchObject({ state: 'paused', active: 1, left: 5 })
  expect(await findBackfill(fresh.database.pool, id)).toMatchObject({ changed_by: 'ann' })
  // A second pause changes nothing, so it is not on record.
  await pauseBackfill(fresh.database, id, 'bob')
  expect(await findBackfill(fresh.database.pool, id)).toMatchObject({ changed_by: 'ann' })
  // The slot that it had made is gone with it; nobody else expects it.
  expect((await listSlots(fresh.database.pool)).map((slot) => slot.partition)).toEqual(['2026-03-01'])
  await feed()
  expect(await asked()).toEqual([])
  await end(running, 'published')

  await resumeBackfill(fresh.database, id)
  await feed()
  expect(await asked()).toEqual(['2026-03-03', '2026-03-02'])
  expect(await counts(id)).toMatchObject({ state: 'running', published: 1, active: 2, left: 3 })
})

test('a night that was skipped, failed or held before is that again when the backfill is cancelled', async () => {
  const before = [
    ['2026-03-01', 'skipped', 'bank holiday'],
    ['2026-03-02', 'failed', 'no disk'],
    ['2026-03-03', 'held', 'plan has unknown values'],
    ['2026-03-04', 'expected', null],
  ] as const
  for (const [label, state, reason] of before) {
    await fresh.database.pool.query(
      `insert into nightshift.slots (kind, name, as_of, partition, state, reason, schedule, due, run)
       values ('scores', 'churn', $1, $2, $3, $4, 'nightly', $1, 'r1')`,
      [`${label}T00:00:00Z`, label, state, reason],
    )
  }
  const id = (await start(plan(), 6, 'all')) ?? 0
  await feed()
  await begin('2026-03-02')
  await cancelBackfill(fresh.database, id)
  const slots = (await listSlots(fresh.database.pool)).reverse()
  expect(slots.map(({ partition, state, reason }) => [partition, state, reason])).toEqual(before)
  expect(slots.map(({ run, request }) => [run, request])).toEqual(before.map(() => ['r1', null]))
  expect(await listRuns(fresh.database.pool)).toEqual([])
  expect(await counts(id)).toMatchObject({ state: 'cancelled', active: 0, left: 6 })
  await expect(resumeBackfill(fresh.database, id)).rejects.toThrow(
    'backfill 1 is cancelled: expected a backfill that is paused',
  )
})

test('features that were asked for and have not begun go back as well', async () => {
  const id = (await start(plan(['2026-03-01', '2026-03-02'], 'activity'))) ?? 0
  await feed()
  expect((await listRuns(fresh.database.pool)).map((run) => `${run.kind} ${run.partition}`).sort()).toEqual([
    'features 2026-03-01',
    'features 2026-03-02',
  ])
  await pauseBackfill(fresh.database, id)
  expect(await listRuns(fresh.database.pool)).toEqual([])
  expect(await listSlots(fresh.database.pool)).toEqual([])
})

test('two that are started at once share no night', async () => {
  for (let round = 0; round < 20; round++) {
    await fresh.database.pool.query('truncate nightshift.backfills, nightshift.slots cascade')
    const both = await Promise.all([start(), start(plan(['2026-03-05', '2026-03-06']))])
    const nights = await fresh.database.pool.query('select partition from nightshift.backfill_nights')
    expect(nights.rows.map((row) => row.partition).sort()).toEqual(asOfs.map(({ label }) => label))
    expect(both.filter((id) => id !== undefined).length).toBe(
      (await listBackfills(fresh.database.pool)).length,
    )
  }
})

test('a night that another backfill has still to do is said to be its', async () => {
  const id = (await start(plan(['2026-03-01', '2026-03-02', '2026-03-03']), 1)) ?? 0
  await feed()
  await end(await begin('2026-03-01'), 'published')
  await feed()
  expect(await takenNights(fresh.database.pool, 'churn')).toEqual({
    '2026-03-02': `backfill ${id} runs it`,
    '2026-03-03': `backfill ${id} runs it`,
  })
  await pauseBackfill(fresh.database, id)
  expect((await takenNights(fresh.database.pool, 'churn'))['2026-03-03']).toMatch(
    /is paused: nightshift resume/,
  )
  await cancelBackfill(fresh.database, id)
  expect(await takenNights(fresh.database.pool, 'churn')).toEqual({})
})

test('a night that somebody has asked for stays theirs', async () => {
  const [first] = asOfs
  if (first === undefined) throw new Error('there are nights')
  await requestScores(fresh.database, 'churn', first, { trigger: 'manual', settings, by: 'ann@example.com' })
  // The plan was made before that.
  const id = (await start(plan(['2026-03-01']))) ?? (await startTaken())
  await feed()
  const [slot] = await listSlots(fresh.database.pool)
  expect(slot?.request).toMatchObject({ trigger: 'manual', by: 'ann@example.com', backfill: null })
  await cancelBackfill(fresh.database, id)
  expect((await listSlots(fresh.database.pool))[0]?.request).toMatchObject({ trigger: 'manual' })
})

/** A backfill whose night was free when it started. */
async function startTaken(): Promise<number> {
  const { rows } = await fresh.database.pool.query(
    `insert into nightshift.backfills (model, max_active, forced, settings) values ('churn', 2, false, $1) returning id`,
    [JSON.stringify(settings)],
  )
  await fresh.database.pool.query(
    `insert into nightshift.backfill_nights (backfill, position, as_of, partition, version) values ($1, 0, '2026-03-01T00:00:00Z', '2026-03-01', 1)`,
    [rows[0].id],
  )
  return Number(rows[0].id)
}

test('what is over or unknown cannot be paused, and the error says what there is', async () => {
  const id = (await start(plan(['2026-03-01']))) ?? 0
  await feed()
  await end(await begin('2026-03-01'), 'published')
  await feed()
  await expect(pauseBackfill(fresh.database, id)).rejects.toThrow(
    `backfill ${id} is done: expected a backfill that is running`,
  )
  await expect(cancelBackfill(fresh.database, 99)).rejects.toThrow(
    `expected the number of a backfill (${id}), got: 99`,
  )
})

/** A night of a view or model as somebody else has left it. */
async function night(
  kind: 'features' | 'scores',
  partition: string,
  { state = 'published', run }: { state?: string; run: string },
): Promise<void> {
  const name = kind === 'scores' ? 'churn' : 'activity'
  const published = state === 'published' ? run : null
  await fresh.database.pool.query(
    `with slot as (
       insert into nightshift.slots (kind, name, as_of, partition, state, run, published_run, published_at)
       values ($1, $2, $3, $4, $5, $6, $7, now())
       on conflict (kind, name, partition) do update set state = $5, run = $6, published_run = $7, published_at = now()
       returning id)
     insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings, version)
     select $6, id, $1, $2, $3, $4, $5, 'manual', '{}', 1 from slot`,
    [kind, name, `${partition}T00:00:00Z`, partition, state, run, published],
  )
}

const refreshed = async () =>
  (await listRuns(fresh.database.pool, { kind: 'features', states: ['queued'] })).map((run) => run.partition)

const reasons = async (id: number) =>
  (await leftNights(fresh.database.pool, id)).map(({ partition, reason }) => `${partition}: ${reason}`)

test('a night that was published after the plan was made is not run again', async () => {
  const id = (await start(plan(['2026-03-01', '2026-03-02', '2026-03-03']), 1)) ?? 0
  await night('scores', '2026-03-01', { run: 'r1' })
  await night('scores', '2026-03-02', { run: 'r2' })
  await feed()
  expect(await asked()).toEqual(['2026-03-03'])
  expect(await counts(id)).toMatchObject({ published: 2, active: 1, left: 0 })
  expect(await reasons(id)).toEqual([
    '2026-03-01: published by run r1 with version 1',
    '2026-03-02: published by run r2 with version 1',
  ])
})

test.each([
  ['failed' as const, 'it is failed (run r1): --failed re-runs it'],
  ['held' as const, 'it is held (run r1): --failed re-runs it'],
])('a night that %s after the plan was made is said to have', async (state, reason) => {
  const id = (await start(plan(['2026-03-01']))) ?? 0
  await night('scores', '2026-03-01', { state, run: 'r1' })
  await feed()
  await feed()
  expect(await asked()).toEqual([])
  expect(await counts(id)).toMatchObject({ state: 'done', [state]: 1, left: 0 })
  expect(await brokenNights(fresh.database.pool, id)).toEqual([
    { partition: '2026-03-01', state, run: 'r1', reason },
  ])
})

test('a night that is to be run because it failed is left alone once somebody has mended it', async () => {
  await night('scores', '2026-03-01', { state: 'failed', run: 'r0' })
  const id = (await start(plan(['2026-03-01']), 2, 'failed')) ?? 0
  await night('scores', '2026-03-01', { run: 'r1' })
  await feed()
  await feed()
  expect(await counts(id)).toMatchObject({ state: 'done', published: 1 })
  expect(await asked()).toEqual([])
})

test('a stale night is run while it is stale, and left as it is when it is not any more', async () => {
  for (const [index, label] of ['2026-03-01', '2026-03-02'].entries())
    await night('scores', label, { run: `r${index}` })
  const id = (await start(plan(['2026-03-01', '2026-03-02']), 2, 'stale')) ?? 0
  await feed(async (runs) => {
    expect(runs.toSorted()).toEqual(['r0', 'r1'])
    return new Map([['r1', 'late.parquet is new']])
  })
  expect(await asked()).toEqual(['2026-03-02'])
  expect(await reasons(id)).toEqual([
    '2026-03-01: published by run r0 with version 1; its inputs are unchanged',
  ])
})

test('features that another has refreshed since the plan are not refreshed again', async () => {
  await start(plan(['2026-03-01', '2026-03-02'], 'activity'))
  await night('features', '2026-03-01', { run: 'f1' })
  await feed()
  expect(await refreshed()).toEqual(['2026-03-02'])
  expect((await asked()).toSorted()).toEqual(['2026-03-01', '2026-03-02'])
  // The planner does not look at the second until its features are there, so this says what it waits for.
  const scores = await listSlots(fresh.database.pool, { kind: 'scores' })
  expect(Object.fromEntries(scores.map((slot) => [slot.partition, slot.reason]))).toEqual({
    '2026-03-01': null,
    '2026-03-02': 'waits for features activity 2026-03-02, which is refreshed first',
  })
})

test('features that were current when the backfill was planned are refreshed where their inputs have changed since', async () => {
  await night('features', '2026-03-01', { run: 'f1' })
  await start(plan(['2026-03-01'], 'activity'))
  await feed(async () => new Map([['f1', 'late.parquet is new']]))
  expect(await refreshed()).toEqual(['2026-03-01'])
})

test('a night that changes while its inputs are looked at is decided in the next round', async () => {
  await night('features', '2026-03-01', { run: 'f1' })
  await start(plan(['2026-03-01'], 'activity'))
  await feed(async () => {
    await night('features', '2026-03-01', { run: 'f2' })
    return new Map([['f1', 'late.parquet is new']])
  })
  expect([await asked(), await refreshed()]).toEqual([[], []])
  await feed()
  expect([await asked(), await refreshed()]).toEqual([['2026-03-01'], []])
})

test('where nobody can say what is stale, nights are run as they were planned', async () => {
  await night('features', '2026-03-01', { run: 'f1' })
  await night('features', '2026-03-02', { run: 'f2' })
  const both = plan(['2026-03-01', '2026-03-02'])
  await start({ ...both, refresh: [{ view: 'activity', as_of: '2026-03-01', reason: 'it is stale' }] })
  await feed(async () => {
    throw new Error('looking for stale nights took longer than 120 s')
  })
  expect(await refreshed()).toEqual(['2026-03-01'])
  expect((await asked()).toSorted()).toEqual(['2026-03-01', '2026-03-02'])
})

test('of two processes that feed at once one looks at the inputs, and each night is asked for once', async () => {
  await night('features', '2026-03-01', { run: 'f1' })
  await start(plan(['2026-03-01'], 'activity'))
  let looks = 0
  let release = () => {}
  const held = new Promise<void>((done) => {
    release = done
  })
  const slow = feed(async () => {
    looks++
    await held
    return new Map([['f1', 'late.parquet is new']])
  })
  while (looks === 0) await new Promise((again) => setTimeout(again, 10))
  await feed(async () => {
    looks++
    return new Map()
  })
  release()
  await slow
  expect(looks).toBe(1)
  expect(await refreshed()).toEqual(['2026-03-01'])
})

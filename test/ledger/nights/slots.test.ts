import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { planReconcile } from '../../../src/jobs/planning/planner.ts'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import type { RunSettings } from '../../../src/ledger/nights/run-request.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { listSlots, recentSlots } from '../../../src/ledger/nights/slots.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { emptyView, nightly, projectOf, slotOf } from '../../jobs/nights.ts'

const SETTINGS: RunSettings = { attempts: 1, backoff_ms: 1000, timeout_ms: 1000, wait_until: null }
const inBerlin = parseAsOf('2026-11-22', 'Europe/Berlin')
const inNewYork = parseAsOf('2026-11-22', 'America/New_York')

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

const ensure = (name: string, asOf: typeof inBerlin, how?: { anew: boolean }) =>
  transaction(fresh.database, (client) => ensureSlot(client, 'features', name, asOf, how))
const publish = (slot: number) =>
  transaction(fresh.database, async (client) => {
    await client.query(
      `insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings)
       select 'run' || id, id, kind, name, as_of, partition, 'published', 'manual', '{}' from nightshift.slots where id = $1`,
      [slot],
    )
    await client.query(
      `update nightshift.slots set state = 'published', published_run = 'run' || id, run = 'run' || id where id = $1`,
      [slot],
    )
  })

test('one label is one slot, whatever instant it means', async () => {
  const first = await ensure('moved', inBerlin)
  const second = await ensure('moved', inNewYork)
  expect([second.id, second.as_of]).toEqual([first.id, '2026-11-22T05:00:00.000Z'])
  expect(await listSlots(fresh.database.pool, { name: 'moved' })).toHaveLength(1)
})

test('what is published keeps the instant of its label, unless it is computed anew', async () => {
  const { id } = await ensure('kept', inBerlin)
  await publish(id)
  await expect(ensure('kept', inNewYork)).rejects.toThrow(
    /refresh kept 2026-11-22: its label meant 2026-11-21T23:00:00.000Z .* nightshift refresh kept --as-of 2026-11-22 --force/,
  )
  expect((await ensure('kept', inNewYork, { anew: true })).as_of).toBe('2026-11-22T05:00:00.000Z')
})

test('a run that is under way ends as what it was made for', async () => {
  await transaction(fresh.database, async (client) => {
    const slot = await ensureSlot(client, 'features', 'running', inBerlin)
    await createRun(client, slot, { trigger: 'manual', settings: SETTINGS })
  })
  expect((await ensure('running', inNewYork)).as_of).toBe('2026-11-21T23:00:00.000Z')
})

test('an hour and the day that begins with it are two slots', async () => {
  const day = await ensure('grains', parseAsOf('2026-11-22', 'UTC'))
  const hour = await ensure('grains', parseAsOf('2026-11-22T00Z', 'UTC'))
  expect(hour.id).not.toBe(day.id)
})

test('a slot that lies ahead follows the zone, and keeps its label', () => {
  const project = projectOf([nightly({ score: [], refresh: ['activity'] })], {}, 'America/New_York')
  const slot = slotOf('features', 'activity', '2026-11-23', {
    due: '2026-11-23T01:00:00Z',
    deadline: '2026-11-23T05:00:00Z',
  })
  const published = slotOf('features', 'activity', '2026-11-22', { state: 'published', published_run: 'r1' })
  const actions = planReconcile({ ...emptyView(project, '2026-11-22T12:00:00Z'), slots: [slot, published] })
  const moved = actions.flatMap((action) => (action.type === 'move-slot' ? [action.slot] : []))
  expect(moved).toContainEqual(
    expect.objectContaining({ partition: '2026-11-23', as_of: '2026-11-23T05:00:00Z' }),
  )
  expect(moved.map(({ partition }) => partition)).not.toContain('2026-11-22')
})

test('a ledger that had two slots for one label keeps the one that owns the path, with the runs of both', async () => {
  const folder = new URL('../../../src/ledger/migrations/', import.meta.url)
  const { pool } = fresh.database
  const names = readdirSync(folder).sort()
  const before = names.filter((name) => name < '011')
  await pool.query('drop schema nightshift cascade')
  for (const name of before) await pool.query(readFileSync(new URL(name, folder), 'utf8'))
  await pool.query(`
    insert into nightshift.slots (kind, name, as_of, partition, state) values
      ('features', 'v', '2026-11-21T23:00Z', '2026-11-22', 'published'),
      ('features', 'v', '2026-11-22T05:00Z', '2026-11-22', 'published'),
      ('features', 'v', '2026-11-22T23:00Z', '2026-11-23', 'expected');
    insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings)
      select 'run' || id, id, kind, name, as_of, partition, 'published', 'manual', '{}' from nightshift.slots where id < 3;
    insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, settings)
      select 'open' || id, id, kind, name, as_of, partition, 'running', 'manual', '{}' from nightshift.slots where id < 3;
    update nightshift.slots set published_run = 'run' || id, published_at = '2026-11-23'::timestamptz - id * interval '1 hour' where id < 3;`)
  const client = await pool.connect()
  try {
    await client.query('begin')
    for (const name of names.filter((each) => each.startsWith('011'))) {
      await client.query(readFileSync(new URL(name, folder), 'utf8'))
    }
    await client.query('commit')
  } finally {
    client.release()
  }
  const { rows } = await pool.query(`
    select s.id::int, s.partition, s.published_run, array_agg(r.id || ' ' || r.state order by r.id) as runs
      from nightshift.slots s left join nightshift.runs r on r.slot = s.id group by s.id order by s.id`)
  expect(rows).toEqual([
    {
      id: 1,
      partition: '2026-11-22',
      published_run: 'run1',
      runs: ['open1 running', 'open2 cancelled', 'run1 published', 'run2 published'],
    },
    { id: 3, partition: '2026-11-23', published_run: null, runs: [null] },
  ])
})

test('recent slots are counted back from the newest night of each name, and what is open is there whatever its age', async () => {
  const night = (name: string, day: number) => ensure(name, parseAsOf(`2025-06-${10 + day}`, 'UTC'))
  for (const day of [1, 2, 3, 4]) {
    await publish((await night('old', day)).id)
    if (day > 1) await publish((await night('older', day - 1)).id)
  }
  // Nothing has become of it.
  await night('old', 0)
  const shown = async (days: number, names: string[] | undefined) =>
    (await recentSlots(fresh.database.pool, { names, days, now: '2026-11-22T00:00:00Z' }))
      .filter(({ name }) => name.startsWith('old'))
      .map(({ name, partition }) => `${name} ${partition.slice(-2)}`)
  expect(await shown(1, ['old', 'older'])).toEqual(['old 14', 'older 13', 'old 10'])
  expect(await shown(2, ['older'])).toEqual(['older 13', 'older 12'])
  expect(await shown(30, undefined)).toHaveLength(8)
})

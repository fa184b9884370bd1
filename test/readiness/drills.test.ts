import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openProject } from '../../src/project/files/load-project.ts'
import { modelNamed } from '../../src/project/named.ts'
import { type Drill, recordDrill } from '../../src/readiness/drills/drill-record.ts'
import type { Asked } from '../../src/readiness/item.ts'
import { driftAlerts } from '../../src/readiness/items/drift-alerts.ts'
import { rollback } from '../../src/readiness/items/rollback.ts'
import type { Version } from '../../src/registry/version-records.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'

const project = openProject(resolve(import.meta.dirname, '../..'))
const churn = modelNamed(project, 'churn')
const HASH = 'a'.repeat(64)
const version = (number: number) =>
  ({ model: 'churn', version: number, view: churn.view, view_hash: HASH }) as Version
const DAY_MS = 86_400_000

let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
})
afterAll(() => fresh.drop())

/** The gate of version 2 some days from now, on a view that DuckDB describes with this hash. */
async function ask(item: typeof rollback, { days = 0, hash = HASH, of = 2 as number | null } = {}) {
  const asked = {
    database: fresh.database,
    project,
    model: churn,
    version: of === null ? undefined : version(of),
    champion: undefined,
    now: new Date(Date.now() + days * DAY_MS + 1_000),
    warehouse: project.warehouse,
    children: { run: async () => ({ viewHash: hash, formerHash: hash }) },
  }
  return item.ask(asked as unknown as Asked)
}

const drilled = (change: Partial<Drill> = {}) =>
  recordDrill(fresh.database.pool, {
    model: 'churn',
    kind: 'rollback',
    version: 2,
    view_hash: HASH,
    passed: true,
    seconds: 3.2,
    note: 'readers saw version 1 again after 3.2 s',
    by: 'ann@example.com',
    os_user: 'ann',
    host: 'node',
    ...change,
  })

test('without a version or a drill it fails, with the command that drills', async () => {
  expect(await ask(rollback, { of: null })).toMatchObject({
    status: 'fail',
    evidence: expect.stringContaining('no version exists'),
  })
  expect(await ask(rollback)).toMatchObject({
    status: 'fail',
    evidence: 'no drill rollback is on record',
    fix: 'nightshift drill churn rollback --version 2',
  })
})

test('a drill is evidence for 90 days, for its version and its view, and not before it happened', async () => {
  await drilled()
  expect(await ask(rollback)).toMatchObject({
    status: 'pass',
    evidence: expect.stringMatching(/^drilled on .*: readers saw version 1 again after 3.2 s$/),
  })
  expect(await ask(rollback, { days: 89 })).toMatchObject({ status: 'pass' })
  for (const [asked, evidence] of [
    [{ days: 91 }, /more than 90 days ago/],
    [{ days: -1 }, /lies in the future/],
    [{ of: 3 }, /was of version 2, not of version 3/],
    [{ hash: 'b'.repeat(64) }, /was edited since/],
  ] as const) {
    const { status, evidence: said } = await ask(rollback, asked)
    expect({ status, said }).toEqual({ status: 'fail', said: expect.stringMatching(evidence) })
  }
})

test.each([
  ['that failed', { passed: false, note: 'readers saw no scores' }, /failed: readers saw no scores/],
  ['of another definition', { view_hash: 'c'.repeat(64) }, /of another definition/],
  ['that took 31 minutes', { seconds: 31 * 60 }, /took 31 min: at most 30 min/],
  ['without a figure', { seconds: null }, /has no figure/],
])('the newest counts: a drill %s is none', async (_, change, words) => {
  await drilled(change)
  expect(await ask(rollback)).toMatchObject({ status: 'fail', evidence: expect.stringMatching(words) })
  await drilled()
  expect(await ask(rollback)).toMatchObject({ status: 'pass' })
})

test('a drill of another kind says nothing about drift alerts', async () => {
  expect(await ask(driftAlerts)).toMatchObject({ status: 'fail', evidence: 'no drill drift is on record' })
  await drilled({ kind: 'drift', note: '2 shifted nights alerted 1 address' })
  expect(await ask(driftAlerts)).toMatchObject({
    status: 'pass',
    evidence: expect.stringContaining('2 of 3'),
  })
})

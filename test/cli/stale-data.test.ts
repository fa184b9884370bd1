import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
const RANGE = ['--from', '2026-03-02', '--to', '2026-03-05']
const FILE = 'data/events/date=2026-03-01/events.parquet'
const LATE = 'data/events/date=2026-03-03/late.parquet'

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
  const { code, stderr } = await nightshift(['backfill', 'value', ...RANGE, '--yes'], at)
  expect(code, stderr).toBe(0)
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

interface Row {
  kind: string
  as_of: string
  stale: string | null
}

/** Why nights are stale, by kind and as-of, in one call of `status`. */
async function staleNights(): Promise<Record<'features' | 'scores', Record<string, string>>> {
  const { json } = await nightshiftJson(['status'], at)
  const rows: Row[] = json
  const of = (kind: string) =>
    Object.fromEntries(
      rows
        .filter((row) => row.kind === kind && row.stale !== null)
        .map((row) => [row.as_of, row.stale ?? ''])
        .sort(),
    )
  return { features: of('features'), scores: of('scores') }
}

test('status of one as-of has its slots alone, a night that is not there says how to make it', async () => {
  const { json } = await nightshiftJson(['status', '--as-of', '2026-03-03'], at)
  expect(json.map(({ kind, as_of }: Row) => `${kind} ${as_of}`)).toEqual([
    'features 2026-03-03',
    'scores 2026-03-03',
  ])
  const { stdout } = await nightshift(['status', 'value', '--as-of', '2026-03-04'], at)
  expect(stdout).toContain('2026-03-04')
  expect(stdout).not.toContain('2026-03-03')
  const none = await nightshift(['status', 'value', '--as-of', '2026-03-09'], at)
  expect(none.stdout).toContain('no slots of 2026-03-09')
  expect(none.stdout).toContain('nightshift run value --as-of 2026-03-09')
  const both = await nightshift(['status', '--as-of', '2026-03-03', '--days', '3'], at)
  expect({ code: both.code, stderr: both.stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected --as-of or --days, got both'),
  })
})

test('a dump that is written anew with the same rows is not stale, and nothing is run again', async () => {
  await writeParquet(
    join(project.root, FILE),
    `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, (i % 7)::DOUBLE AS amount FROM range(100) t(i) ORDER BY i DESC`,
  )
  expect((await staleNights()).features).toEqual({})
  const { json, code } = await nightshiftJson(['run', 'value', '--as-of', '2026-03-03'], at)
  const { json: runs } = await nightshiftJson(['runs', 'value'], at)
  expect({ code, run: json.run }).toEqual({
    code: 0,
    run: runs.find((run: { as_of: string }) => run.as_of === '2026-03-03').run,
  })
  expect(runs).toHaveLength(4)
})

test('a late file makes the nights behind it stale, status names it, and backfill --stale repairs them', async () => {
  await writeParquet(
    join(project.root, LATE),
    `SELECT 5::BIGINT AS customer_id, TIMESTAMP '2026-03-03 12:00:00' AS happened_at, 70::DOUBLE AS amount`,
  )
  const new_ = `${LATE} is new, with 1 rows before the cut`
  expect(await staleNights()).toEqual({
    features: { '2026-03-04': new_, '2026-03-05': new_ },
    scores: {
      '2026-03-04': `its features are stale: ${new_}`,
      '2026-03-05': `its features are stale: ${new_}`,
    },
  })
  const { stdout } = await nightshift(['status'], at)
  expect(stdout).toContain('published, stale')
  expect(stdout).toContain('nightshift backfill value --from 2026-03-04 --to 2026-03-05 --stale')

  const { json: plan } = await nightshiftJson(['backfill', 'value', ...RANGE, '--stale', '--dry-run'], at)
  expect(plan.slots.map((slot: { as_of: string; action: string }) => `${slot.as_of} ${slot.action}`)).toEqual(
    ['2026-03-05 run', '2026-03-04 run', '2026-03-03 skip', '2026-03-02 skip'],
  )
  expect(plan.refresh.map((refresh: { as_of: string }) => refresh.as_of)).toEqual([
    '2026-03-05',
    '2026-03-04',
  ])
  const repaired = await nightshiftJson(['backfill', 'value', ...RANGE, '--stale', '--yes'], at)
  expect(repaired.json).toMatchObject({ nights: 2, published: 2 })
  expect(await staleNights()).toEqual({ features: {}, scores: {} })
})

test('features that are published again with the same content make nothing stale', async () => {
  const { json: before } = await nightshiftJson(['runs', 'value'], at)
  const again = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-05', '--force'], at)
  expect(again.json).toMatchObject({ state: 'published' })
  const third = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-05', '--force'], at)
  expect(third.json.run).not.toBe(again.json.run)
  expect(await staleNights()).toEqual({ features: {}, scores: {} })
  const run = await nightshiftJson(['run', 'value', '--as-of', '2026-03-05'], at)
  expect(run.code).toBe(0)
  const { json: after } = await nightshiftJson(['runs', 'value'], at)
  expect(after.length).toBe(before.length)
})

test('features that are published again with other content make the scores of that night stale', async () => {
  await writeParquet(
    join(project.root, LATE),
    `SELECT 5::BIGINT AS customer_id, TIMESTAMP '2026-03-03 12:00:00' AS happened_at, 71::DOUBLE AS amount`,
  )
  await nightshift(['refresh', 'activity', '--as-of', '2026-03-05'], at)
  const stale = await staleNights()
  expect(Object.keys(stale.features)).toEqual(['2026-03-04'])
  expect(stale.scores['2026-03-05']).toMatch(/^its features were published again since, by run [a-z0-9]{8}$/)
  const repaired = await nightshiftJson(['backfill', 'value', ...RANGE, '--stale', '--yes'], at)
  expect(repaired.json).toMatchObject({ nights: 2, published: 2 })
  expect((await staleNights()).scores).toEqual({})
})

test('what was seen of a night stands until a file, the view or the program changes', async () => {
  const { pool } = database.database
  const seen = async () => {
    const { rows } = await pool.query<{ partition: string; reason: string | null }>(
      'select r.partition, l.reason from nightshift.looks l join nightshift.runs r on r.id = l.run join nightshift.slots s on s.published_run = r.id order by 1',
    )
    return Object.fromEntries(rows.map(({ partition, reason }) => [partition, reason]))
  }
  expect((await staleNights()).features).toEqual({})
  expect(await seen()).toEqual({
    '2026-03-02': null,
    '2026-03-03': null,
    '2026-03-04': null,
    '2026-03-05': null,
  })
  await pool.query("update nightshift.looks set reason = 'as it was seen'")
  expect((await staleNights()).features['2026-03-03']).toBe('as it was seen')
  utimesSync(join(project.root, FILE), 1_780_000_000, 1_780_000_000)
  expect((await staleNights()).features).toEqual({})
})

test('what could not be compared is looked at again, although no file that is listed has changed', async () => {
  const file = join(project.root, FILE)
  const bytes = readFileSync(file)
  const broken = Buffer.from(bytes)
  broken.fill(0, broken.length - 8)
  const write = (content: Buffer) => {
    writeFileSync(file, content)
    utimesSync(file, 1_780_000_001, 1_780_000_001)
  }
  write(broken)
  expect((await staleNights()).features['2026-03-03']).toMatch(/cannot be compared/)
  write(bytes)
  expect((await staleNights()).features).toEqual({})
})

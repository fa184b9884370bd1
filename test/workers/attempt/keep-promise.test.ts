import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { release } from '../../../src/actions/release-run.ts'
import { findRun } from '../../../src/ledger/nights/run-records.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../../projects/generated.ts'
import { type Life, openLife } from '../life.ts'

const SCHEDULE = `schedule: nightly
cron: "0 2 * * *"
refresh: [daily]
start: "2026-03-03"
`
const VIEW = `view: daily
entity: id
owner: data@example.com
sources:
  s: { path: "data/s/*/*.parquet", kind: snapshots, snapshot_at: day }
  e: { path: "data/e/*/*.parquet", kind: events, event_time: at }
`
const SQL = 'SELECT s.id, x, max(month) AS month FROM s LEFT JOIN e USING (id) GROUP BY s.id, x'

let project: TemporaryProject
let life: Life
afterEach(async () => {
  await life.close()
  await project.remove()
})

const snapshot = (day: string, select: string) =>
  writeParquet(join(project.root, `data/s/day=${day}/a.parquet`), select)
const events = (month: string, at: string) =>
  writeParquet(
    join(project.root, `data/e/month=${month}/a.parquet`),
    `SELECT 1 AS id, TIMESTAMP '${at}' AS at`,
  )
const night = (day: string) => life.slot('features', 'daily', day)
const promises = async () =>
  (await life.database.pool.query('select keys, columns, partition from nightshift.view_promises')).rows

test('columns keep the types of the first publication, and keys theirs, for as long as the definition lives', async () => {
  project = await generatedProject({ schedule: SCHEDULE })
  await project.write('features/daily/view.yaml', VIEW)
  await project.write('features/daily/features.sql', SQL)
  await snapshot('2026-03-02', 'SELECT 1::BIGINT AS id, 1.5::DOUBLE AS x')
  await events('9', '2026-01-01')
  life = await openLife(project.root, { from: '2026-03-03T01:50:00Z' })
  await life.until('2026-03-03T02:10:00Z')
  expect(await night('2026-03-03')).toMatchObject({ state: 'published' })
  const columns = [
    { name: 'id', type: 'BIGINT' },
    { name: 'x', type: 'DOUBLE' },
    { name: 'month', type: 'BIGINT' },
  ]
  expect(await promises()).toEqual([
    { keys: { s: { day: 'DATE' }, e: { month: 'BIGINT' } }, columns, partition: '2026-03-03' },
  ])

  // A build before this one kept no promise: it is read from what is published.
  await life.database.pool.query(
    'update nightshift.view_promises set columns = null, sources = null, run = null',
  )
  await events('09', '2026-01-02')
  await events('10', '2026-01-03')
  await snapshot('2026-03-03', `SELECT '1' AS id, 1.5::DOUBLE AS x`)
  await life.until('2026-03-04T02:10:00Z', 60)
  const held = await night('2026-03-04')
  expect(held).toMatchObject({ state: 'held' })
  // The join of unlike types may be refused before there is a partition to compare.
  expect(held?.reason).toMatch(/id/)

  await snapshot('2026-03-04', 'SELECT 1::BIGINT AS id, 1.5::FLOAT AS x')
  await life.until('2026-03-05T02:10:00Z', 60)
  const other = await night('2026-03-05')
  expect(other).toMatchObject({
    state: 'held',
    reason: expect.stringContaining('column x is FLOAT, and was DOUBLE'),
  })
  expect(other?.reason).toContain('data/s/day=2026-03-04/a.parquet')
  const run = await findRun(life.database.pool, other?.run ?? '')
  expect(run).toMatchObject({ path: null, failure: { class: 'contract' } })
  if (run === undefined) throw new Error('expected a run')
  const place = {
    database: life.database,
    warehouse: join(project.root, 'warehouse'),
    onPublished: async () => {},
  }
  await expect(release(place, run, { reason: 'it is well', by: 'ann@example.com' })).rejects.toThrow(
    'cannot be released: column x is FLOAT, and was DOUBLE',
  )

  await snapshot('2026-03-05', 'SELECT 1::BIGINT AS id, 1.5::DOUBLE AS x')
  await life.until('2026-03-06T02:10:00Z', 60)
  expect(await night('2026-03-06')).toMatchObject({ state: 'published' })
  expect(await promises()).toEqual([
    { keys: { s: { day: 'DATE' }, e: { month: 'BIGINT' } }, columns, partition: '2026-03-03' },
  ])
  const sources = await life.database.pool.query(`select sources from nightshift.view_promises`)
  expect(sources.rows).toEqual([{ sources: { s: expect.any(Array), e: expect.any(Array) } }])
})

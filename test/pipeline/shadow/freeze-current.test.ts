import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { freezeCurrent } from '../../../src/pipeline/shadow/freeze-current.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { query, readRows } from '../feature-case.ts'
import { openShadowCase, type ShadowCase } from './compare-case.ts'

let files: ShadowCase
let folder = ''
let number = 0
beforeAll(async () => {
  files = await openShadowCase()
})
afterAll(() => files.remove())
beforeEach(async () => {
  folder = `n${number++}`
  for (const name of ['tmp', 'out', 'warehouse'])
    mkdirSync(join(files.folder, folder, name), { recursive: true })
  await write('scores.parquet', 'SELECT 1::BIGINT AS customer_id, 0.5 AS p')
})

async function write(name: string, select: string): Promise<string> {
  mkdirSync(dirname(join(files.folder, folder, name)), { recursive: true })
  return files.write(join(folder, name), select)
}

async function freeze(
  path: string,
  more: { entity?: string[]; score?: string; date?: string; label?: string } = {},
) {
  const root = join(files.folder, folder)
  const { entity = ['cust'], score = 'risk', date, label = '2026-11-22' } = more
  const answer = await freezeCurrent({
    root,
    warehouse: join(root, 'warehouse'),
    current: { path, entity, score, date },
    asOf: parseAsOf(label, 'Europe/Berlin'),
    timezone: 'Europe/Berlin',
    scores: join(root, 'scores.parquet'),
    entity: ['customer_id'],
    out: join(root, 'out', 'scores.parquet'),
    temp: join(root, 'tmp'),
    threads: 1,
  })
  const rows = answer.state === 'frozen' ? await readRows(join(root, 'out', 'scores.parquet')) : []
  return { answer, rows: rows.map((row) => `${row.customer_id}: ${row.current_score}`) }
}

const row = (id: number, risk: number | string) => `SELECT ${id} AS cust, ${risk}::DOUBLE AS risk`

test('reads the folder of the night, and no other', async () => {
  await write('old/as_of=2026-11-21/a.parquet', row(1, 0.1))
  await write('old/as_of=2026-11-22/a.parquet', row(1, 0.2))
  await write('old/as_of=2026-11-22/b.parquet', row(2, 0.3))
  expect((await freeze('old/**/*.parquet')).rows).toEqual(['1: 0.2', '2: 0.3'])
  expect((await freeze('old/**/*.parquet', { label: '2026-11-23' })).answer).toEqual({
    state: 'missing',
    reason: 'old/**/*.parquet has no folder as_of=2026-11-23',
  })
})

test.each([
  ["DATE '2026-11-22'", "DATE '2026-11-21'"],
  ["TIMESTAMP '2026-11-22 04:00:00'", "TIMESTAMP '2026-11-21 23:00:00'"],
  // 23:30 UTC is the next local day.
  ["TIMESTAMPTZ '2026-11-21 23:30:00+00'", "TIMESTAMPTZ '2026-11-22 23:30:00+00'"],
  ["'2026-11-22'", "'2026-11-23'"],
])('reads the rows of the night by a column of dates: %s', async (day, other) => {
  await write('all.parquet', `${row(1, 0.2)}, ${day} AS night UNION ALL ${row(1, 0.9)}, ${other}`)
  expect((await freeze('all.parquet', { date: 'night' })).rows).toEqual(['1: 0.2'])
})

test('without folders and dates every night reads all rows; rows without an entity are left out', async () => {
  await write('all.parquet', `${row(2, 0.2)} UNION ALL SELECT NULL, 0.4 UNION ALL ${row(1, "'NaN'")}`)
  expect((await freeze('all.parquet')).rows).toEqual(['1: nan', '2: 0.2'])
})

test('keeps a FLOAT score, which meets thresholds as FLOAT', async () => {
  await write('all.parquet', 'SELECT 1 AS cust, 0.7::FLOAT AS risk')
  await freeze('all.parquet')
  const at = join(files.folder, folder, 'out', 'scores.parquet')
  expect(await query(`SELECT typeof(current_score) AS type FROM '${at}'`)).toEqual([{ type: 'FLOAT' }])
})

test.each([
  [
    'an entity twice',
    { 'a.parquet': `${row(7, 0.1)} UNION ALL ${row(7, 0.2)}` },
    {},
    'expected one row for each cust, got: 2 rows of 7 for 2026-11-22',
  ],
  ['a misspelt column', { 'a.parquet': row(1, 0.1) }, { score: 'rsik' }, 'got: rsik; did you mean risk?'],
  [
    'a score that is no number',
    { 'a.parquet': "SELECT 1 AS cust, 'high' AS risk" },
    {},
    'shadow.current.score: expected a number, got: risk, which is VARCHAR',
  ],
  [
    'entities of another type',
    { 'a.parquet': "SELECT '001' AS cust, 0.1 AS risk" },
    {},
    'expected customer_id to be BIGINT, as in the features, got: VARCHAR',
  ],
  [
    'other entities',
    { 'a.parquet': row(1, 0.1) },
    { entity: ['cust', 'risk'] },
    'expected 1 column (customer_id), got: cust, risk',
  ],
  [
    'files with and without a night',
    { 'a.parquet': row(1, 0.1), 'as_of=2026-11-22/a.parquet': row(1, 0.1) },
    {},
    'expected all files in folders as_of=D, or none',
  ],
])('refuses %s', async (_, given, more, message) => {
  for (const [name, select] of Object.entries(given)) await write(`old/${name}`, select)
  await expect(freeze('old/**/*.parquet', more)).rejects.toThrow(message)
})

test('refuses scores that this project wrote itself', async () => {
  await write('warehouse/shadow/churn/challenger=1/as_of=2026-11-22/scores.parquet', row(1, 0.1))
  await expect(freeze('warehouse/shadow/churn/**/*.parquet')).rejects.toThrow(
    'which lies in the warehouse that this project writes',
  )
})

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sameContent } from '../../../src/pipeline/parity/same-content.ts'
import { writeParquet } from '../../projects/generated.ts'

let temp: string
beforeAll(async () => {
  temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-same-')))
})
afterAll(() => rm(temp, { recursive: true }))

const rows = (value: string, { from = 0, to = 300_000, key = 'i' } = {}) =>
  `SELECT ${key} AS id, ${value} AS v, (i % 7)::DOUBLE AS w FROM range(${from}, ${to}) t(i) ORDER BY id`
const D = '(i / 7)::DOUBLE'
const F = '(i / 7)::FLOAT'

test.each([
  ['the same rows', rows(D), rows(D), true],
  ['a double that differs in its last bits', rows(D), rows(`${D} * (1 + 1e-15)`), true],
  ['a double that differs by 1e-8', rows(D), rows(`${D} * (1 + 1e-8)`), false],
  ['a float that differs by 1e-7', rows(F), rows(`(${F} * (1 + 1e-7))::FLOAT`), true],
  ['one row of 300,000', rows(D), rows(`CASE WHEN i = 299999 THEN 1 ELSE ${D} END`), false],
  ['a null where a value was', rows(D), rows(`CASE WHEN i <> 5 THEN ${D} END`), false],
  [
    'nulls and NaN on both sides',
    rows(`CASE WHEN i % 2 = 0 THEN 'NaN'::DOUBLE END`),
    rows(`CASE WHEN i % 2 = 0 THEN 'NaN'::DOUBLE END`),
    true,
  ],
  ['an integer that differs by one', rows('i'), rows('i + (i = 7)::INT'), false],
  ['one entity less', rows(D), rows(D, { from: 1 }), false],
  ['as many entities, others', rows(D), rows(D, { key: 'i + 1' }), false],
  ['another type', rows(D), rows(F), false],
  ['no rows at all', rows(D, { to: 0 }), rows(D, { to: 0 }), true],
])('%s', async (_what, before, after, same) => {
  const [a, b] = [join(temp, 'a.parquet'), join(temp, 'b.parquet')]
  await writeParquet(a, before)
  await writeParquet(b, after)
  expect(await sameContent(a, b, { temp, threads: 2 })).toBe(same)
})

test('columns in another order are the same content, another column is not', async () => {
  const [a, b, c] = ['d.parquet', 'e.parquet', 'f.parquet'].map((name) => join(temp, name))
  if (a === undefined || b === undefined || c === undefined) throw new Error('there are three files')
  await writeParquet(a, 'SELECT 1 AS id, 2 AS x, 3 AS y')
  await writeParquet(b, 'SELECT 1 AS id, 3 AS y, 2 AS x')
  await writeParquet(c, 'SELECT 1 AS id, 2 AS x, 3 AS z')
  expect(await sameContent(a, b, { temp, threads: 1 })).toBe(true)
  expect(await sameContent(a, c, { temp, threads: 1 })).toBe(false)
})

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { changedColumns } from '../../../src/pipeline/parity/changed-columns.ts'
import { writeParquet } from '../../projects/generated.ts'

let temp: string
beforeAll(async () => {
  temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-changed-')))
})
afterAll(() => rm(temp, { recursive: true }))

const rows = (x: string, { count = 300_000 } = {}) =>
  `SELECT i AS id, ${x} AS x, 'text ' || (i % 9) AS t, CASE WHEN i % 3 = 0 THEN NULL ELSE i / 7 END AS y FROM range(${count}) r(i) ORDER BY id`

test.each([
  ['no column where everything was written again', rows('i'), rows('i'), []],
  ['the column of one changed value in the last row group', rows('i'), rows('i + (i = 299_999)::INT'), ['x']],
  ['a column whose values took another form', rows('i % 2'), rows('i'), ['x']],
  ['a null where a value was', rows('i'), rows('CASE WHEN i <> 5 THEN i END'), ['x']],
  ['every column of fewer rows', rows('i'), rows('i', { count: 299_999 }), ['id', 't', 'x', 'y']],
  ['no column of no rows', rows('i', { count: 0 }), rows('i', { count: 0 }), []],
  [
    'columns by their names, in whatever order',
    'SELECT 1 AS id, 2 AS "a.b", 3 AS b',
    'SELECT 1 AS id, 4 AS b, 2 AS "a.b"',
    ['b'],
  ],
  [
    'a long text that differs in its last letter',
    `SELECT 1 AS id, repeat('ä', 3_000_000) || 'x' AS t`,
    `SELECT 1 AS id, repeat('ä', 3_000_000) || 'y' AS t`,
    ['t'],
  ],
])('names %s', async (_what, before, after, names) => {
  const [a, b] = [join(temp, 'a.parquet'), join(temp, 'b.parquet')]
  await writeParquet(a, before)
  await writeParquet(b, after)
  expect([...(await changedColumns(a, b))].sort()).toEqual(names)
})

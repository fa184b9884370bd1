import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { describeParity } from '../../../src/monitoring/parity/parity-words.ts'
import { checkParity } from '../../../src/pipeline/parity/check-parity.ts'
import type { ParityFacts } from '../../../src/pipeline/parity/parity-facts.ts'
import type { View } from '../../../src/project/project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { makeFolder, makeView, writeParquet } from '../feature-case.ts'

const ZONE = 'Europe/Berlin'
/** What serving published: each type, and nulls in each. */
const PUBLISHED = `SELECT * REPLACE (share::FLOAT AS share, amount::DOUBLE AS amount, monthly::FLOAT AS monthly) FROM (VALUES
  (1::BIGINT, 'basic', 3::INTEGER, 0.1,  2.5,     true,  DATE '2026-11-20', TIMESTAMP '2026-11-21 23:30:00', 1),
  (2,         'plus',  0,          1e-7,       1500000,     false, DATE '2026-11-21', TIMESTAMP '2026-11-20 00:00:00', 0),
  (3,         NULL,    NULL,       NULL,       NULL,        NULL,  NULL,              NULL,                            NULL)
) t(id, plan, calls, share, amount, active, day, seen, monthly)`

let folder = ''
let view: View
let published = ''

beforeEach(async () => {
  folder = makeFolder()
  view = makeView(folder, { sql: '', sources: {} })
  published = await writeParquet(join(folder, 'published.parquet'), PUBLISHED)
})

async function against(path: string, allowMissing = false): Promise<ParityFacts> {
  return checkParity({
    root: folder,
    view,
    asOf: parseAsOf('2026-11-22', ZONE),
    timezone: ZONE,
    published: { file: published, run: 'r', viewHash: 'h', knownAt: '2026-11-22T01:00:00Z', inputs: [] },
    against: { kind: 'file', path, allowMissing },
    threads: 1,
  })
}

function csv(text: string, name = 'notebook.csv'): Promise<ParityFacts> {
  writeFileSync(join(folder, name), text)
  return against(join(folder, name))
}

async function parquet(select: string): Promise<ParityFacts> {
  return against(await writeParquet(join(folder, 'notebook.parquet'), select))
}

const named = ({ by_column }: ParityFacts) =>
  by_column.filter(({ differing }) => differing > 0).map(({ column }) => column)
const column = ({ by_column }: ParityFacts, name: string) => by_column.find((each) => each.column === name)

describe('how programs write makes no difference', () => {
  test.each([
    [
      'pandas: an index, ids and integers as floats beside nulls, True, double digits of a float',
      `,id,plan,calls,share,amount,active,day,seen,monthly
0,1.0,basic,3.0,0.10000000149011612,2.5,True,2026-11-20,2026-11-21 23:30:00,True
1,2.0,plus,0.0,1e-07,1500000.0,False,2026-11-21,2026-11-20,False
2,3.0,,,,,,,,
`,
    ],
    [
      'pandas with na_rep, and times with their offset',
      `id,plan,calls,share,amount,active,day,seen,monthly
1,basic,3,0.1,2.5,1.0,2026-11-20 00:00:00,2026-11-21 23:30:00+01:00,1.0
2,plus,0,0.0000001,1.5e6,0.0,2026-11-21 00:00:00,2026-11-19T23:00:00Z,0
3,NaN,NaN,nan,NA,None,NaT,NaT,<NA>
`,
    ],
    [
      'R: quoted texts, semicolons, TRUE, NA',
      `"id";"plan";"calls";"share";"amount";"active";"day";"seen";"monthly"
1;"basic";3;0.1;2.5;TRUE;2026-11-20;2026-11-21T23:30:00.000;1
2;"plus";0;1e-07;1.5e+06;FALSE;2026-11-21;2026-11-20 00:00;0
3;NA;NA;NA;NA;NA;NA;NA;NA
`,
    ],
    [
      'columns in another order and other letters, with an as-of of several nights',
      `as_of,Plan,ID,Calls
2026-11-21 00:00:00,basic,1,99
2026-11-22 00:00:00+01:00,basic,01,3
2026-11-22,plus,2,0
2026-11-22,,3,
`,
    ],
  ])('%s', async (_, text) => {
    expect(named(await csv(text))).toEqual([])
    expect(await csv(text)).toMatchObject({ differing: 0, rounding: 0, cause: null, rows: 3 })
  })

  test('pandas in Parquet: NaN for null, ids as doubles, nanoseconds in UTC, its index', async () => {
    const found =
      await parquet(`SELECT id::DOUBLE AS id, plan, calls::DOUBLE AS calls, coalesce(share::DOUBLE, 'NaN') AS share,
        coalesce(amount, 'NaN') AS amount, active, day::TIMESTAMP_NS AS day, (seen AT TIME ZONE '${ZONE}') AS seen,
        monthly::BOOLEAN AS monthly, row_number() OVER () AS __index_level_0__ FROM (${PUBLISHED})`)
    expect(named(found)).toEqual([])
    expect(found).toMatchObject({ differing: 0, rows: 3, more_columns: [] })
  })

  test('an entity that is a text here and a number there', async () => {
    published = await writeParquet(
      join(folder, 'published.parquet'),
      `SELECT * REPLACE (id::VARCHAR AS id) FROM (${PUBLISHED})`,
    )
    const found = await parquet(`SELECT * REPLACE (id::DOUBLE AS id) FROM (${PUBLISHED})`)
    expect(found).toMatchObject({ differing: 0, rows: 3 })
  })
})

describe('what differs is found, whatever it is written in', () => {
  test('a number that a cast would round, a time that a date would lose', async () => {
    const found = await csv('id,calls,day\n1,2.6,2026-11-20 05:00:00\n2,0.0,2026-11-21\n3,,\n')
    expect(named(found)).toEqual(['calls', 'day'])
    expect(column(found, 'calls')?.examples).toEqual([{ entity: '1', published: '3', other: '2.6' }])
    expect(column(found, 'day')?.differing).toBe(1)
  })

  test('zero for null, and null for zero', async () => {
    const zero = await csv('id,calls,share\n1,3,0.1\n2,0,1e-7\n3,0,0.0\n')
    expect(named(zero)).toEqual(['calls', 'share'])
    expect(column(zero, 'calls')).toMatchObject({ differing: 1, null_or_zero: 1, null_published: 1 })
    const nothing = await csv('id,calls\n1,3\n2,NaN\n3,\n')
    expect(column(nothing, 'calls')).toMatchObject({ differing: 1, null_or_zero: 1, null_other: 1 })
  })

  test('a constant shift, as of a window of another end', async () => {
    const found = await csv('id,amount,seen\n1,3.5,2026-11-22 00:30:00\n2,1500001,2026-11-20 01:00:00\n3,,\n')
    expect(column(found, 'amount')).toMatchObject({ differing: 2, shift: 1, largest_difference: 1 })
    expect(column(found, 'seen')?.differing).toBe(2)
  })

  test('a text where a number belongs is shown as it was written', async () => {
    const found = await csv('id,calls\n1,"3,0"\n2,zero\n3,\n')
    expect(column(found, 'calls')?.examples.map(({ other }) => other)).toEqual(['3,0', 'zero'])
  })

  test('rounded digits of a float differ, the last bits do not', async () => {
    const found = await csv('id,share,amount\n1,0.1000000001,2.5000000001\n2,0.00000011,1.5e6\n3,,\n')
    expect(named(found)).toEqual(['share'])
    expect(found.rounding).toBe(1)
  })
})

describe('what cannot be compared is said', () => {
  test.each([
    ['id,calls\n7,1\n8,2\n', 'expected entities of the night (id such as 1, 2, 3), got: 7, 8'],
    ['id,calls\n1,1\n1.0,2\n', 'expected one row for each id of the night, got several: 1 (2 times)'],
    ['name,calls\n1,1\n', 'expected the entity (id) and columns of view'],
    ['as_of,id,calls\n2026-11-21,1,3\n', 'with as_of 2026-11-22'],
  ])('%j', async (text, message) => {
    await expect(csv(text)).rejects.toThrow(message)
  })

  test('a file that is neither', async () => {
    writeFileSync(join(folder, 'notes.parquet'), 'no parquet\n')
    await expect(against(join(folder, 'notes.parquet'))).rejects.toThrow('expected a CSV or Parquet file')
  })
})

describe('entities of one side alone', () => {
  const LEFT = 'id,calls\n1,3\n2,0\n'

  test('a published one that the file lacks differs, unless the file is a sample', async () => {
    const found = await csv(LEFT)
    expect(found).toMatchObject({ rows: 3, only_published: 1, only_other: 0, differing: 1, cause: 'file' })
    expect(describeParity(found)).toBe('3 values, 1 differing: 1 published entities are not in the file')
    const sample = await against(join(folder, 'notebook.csv'), true)
    expect(sample).toMatchObject({ rows: 2, only_published: 1, differing: 0, cause: null })
    expect(sample.notes).toContain('1 published entities are not in the file, as --allow-missing has it')
  })

  test('one of the file that was not published differs, in a sample too', async () => {
    const found = await csv(`${LEFT}3,\n4,1\n`)
    expect(found).toMatchObject({ only_published: 0, only_other: 1, differing: 1, cause: 'file' })
    expect(await against(join(folder, 'notebook.csv'), true)).toMatchObject({ differing: 1 })
    const both = await csv('id,calls\n1,4\n4,1\n')
    expect(describeParity(both)).toBe(
      '3 values, 4 differing (calls): values in the file differ from the published ones; 2 published entities are not in the file; 1 entities of the file were not published',
    )
  })

  test('150 columns are compared, and the one that differs is found', async () => {
    const list = (other: number) =>
      Array.from({ length: 150 }, (_, index) => `${index === 120 ? other : index}::DOUBLE AS c${index}`)
    published = await writeParquet(
      join(folder, 'published.parquet'),
      `SELECT id, ${list(120).join(', ')} FROM range(9) t(id)`,
    )
    const found = await parquet(`SELECT id, ${list(125).join(', ')} FROM range(9) t(id)`)
    expect(named(found)).toEqual(['c120'])
    expect(column(found, 'c120')).toMatchObject({ differing: 9, shift: 5, largest_difference: 5 })
    expect(column(found, 'c149')).toMatchObject({ differing: 0, rounding: 0, largest_difference: null })
  })
})

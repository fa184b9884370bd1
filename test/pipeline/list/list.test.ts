import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ListFacts, readList } from '../../../src/pipeline/list/read-list.ts'
import { writeList } from '../../../src/pipeline/list/write-list.ts'
import { writeParquet } from '../../projects/generated.ts'

let folder: string
const file = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-list-test-'))
  mkdirSync(file('temp'))
  // Scores fall with the id tonight; the night before they rose, with one more row and a score that is no number.
  const row = (score: string) =>
    `i::VARCHAR || 'x' AS id, ${score} AS p, ${score} >= 0.5 AS decision, 1 AS version`
  await writeParquet(
    file('now.parquet'),
    `SELECT ${row('1 - i / 10')}, 'spend' AS reason_1, 0.25 AS effect_1 FROM range(10) t(i)`,
  )
  await writeParquet(
    file('before.parquet'),
    `SELECT ${row("CASE WHEN i = 10 THEN 'nan'::DOUBLE ELSE i / 10 END")} FROM range(2, 12) t(i)`,
  )
  await writeParquet(file('plain.parquet'), 'SELECT i AS id, i / 10 AS p FROM range(10) t(i)')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function read(scores: string, before: string | undefined, top = 3): Promise<ListFacts> {
  return readList({
    scores: file(scores),
    before: before === undefined ? undefined : file(before),
    entity: ['id'],
    score: 'p',
    top,
    temp: file('temp'),
  })
}

describe('a list', () => {
  test('has the highest scores with their reasons, and where they stood before', async () => {
    const { rows, decided, top } = await read('now.parquet', 'before.parquet')
    expect([rows, decided]).toEqual([10, 6])
    const reasons = [{ column: 'spend', effect: 0.25 }]
    // The night before: 11 stood first, then 9, 8, ... 2; 10 has no rank.
    expect(top).toEqual([
      { entity: ['0x'], score: 1, rank: 1, decision: true, reasons, before: null },
      { entity: ['1x'], score: 0.9, rank: 2, decision: true, reasons, before: null },
      { entity: ['2x'], score: 0.8, rank: 3, decision: true, reasons, before: { rank: 9, score: 0.2 } },
    ])
  })

  test('is compared by its decisions: who entered, left and stayed', async () => {
    const { compared } = await read('now.parquet', 'before.parquet')
    // Tonight 0 to 5; before 5 to 9, 11, and 10, since no number counts as larger than any.
    expect(compared).toMatchObject({ entered: 5, stayed: 1 })
    expect(compared?.leavers.map(({ entity: [id], other }) => [id, other])).toEqual(
      expect.arrayContaining([
        ['11x', null],
        ['9x', expect.closeTo(0.1, 12)],
      ]),
    )
    expect(compared?.entrants.map(({ entity: [id], score, other }) => [id, score, other])).toEqual([
      ['0x', 1, null],
      ['1x', 0.9, null],
      ['2x', 0.8, 0.2],
      ['3x', 0.7, 0.3],
      ['4x', 0.6, 0.4],
    ])
  })

  test('says between which scores its threshold lies, and how many rows it leaves out of a tie', async () => {
    const { edge } = await read('now.parquet', undefined)
    expect(edge).toEqual({ lowest: 0.5, highest: 0.4 })
    await writeParquet(file('tied.parquet'), 'SELECT i AS id, least(i, 3) / 10 AS p FROM range(10) t(i)')
    const { ties, top, edge: none } = await read('tied.parquet', undefined)
    expect(top.map(({ entity: [id], rank }) => [id, rank])).toEqual([
      ['3', 1],
      ['4', 1],
      ['5', 1],
    ])
    expect(ties).toEqual({ rows: 7, shown: 3 })
    expect(none).toEqual({ lowest: null, highest: null })
    expect((await read('tied.parquet', undefined, 8)).ties).toEqual({ rows: 1, shown: 1 })
  })

  test('of a night without rows is empty, and has a threshold all the same', async () => {
    await writeParquet(file('none.parquet'), "SELECT 'a' AS id, 0.5 AS p, true AS decision WHERE false")
    const { rows, decided, top, compared } = await read('none.parquet', 'now.parquet')
    expect([rows, decided, top]).toEqual([0, 0, []])
    expect(compared).toMatchObject({ entered: 0, stayed: 0, left: 6 })
    expect((await read('now.parquet', 'none.parquet')).compared).toMatchObject({
      entered: 6,
      stayed: 0,
      left: 0,
    })
  })

  test('without a threshold it is the top', async () => {
    const { decided, compared, top } = await read('plain.parquet', 'plain.parquet', 4)
    expect(decided).toBeNull()
    expect(compared).toEqual({ entered: 0, stayed: 4, left: 0, entrants: [], leavers: [] })
    expect(top.map(({ before }) => before?.rank)).toEqual([1, 2, 3, 4])
    expect((await read('plain.parquet', undefined)).compared).toBeNull()
  })
})

test('as CSV the highest come first, and no text or heading is a formula', async () => {
  await writeParquet(
    file('hostile.parquet'),
    `SELECT * FROM (VALUES ('=1+1', 0.1, true), ('@x', 0.9, true), ('a,"b', 0.5, false), ('-2', -0.5, true)) t("=id", p, decision)`,
  )
  const written = async (decided: boolean) => {
    const out = file('out/list.csv')
    mkdirSync(file('out'), { recursive: true })
    const { rows } = await writeList({
      scores: file('hostile.parquet'),
      entity: ['=id'],
      score: 'p',
      decided,
      out,
      temp: file('temp'),
    })
    return { rows, lines: readFileSync(out, 'utf8').trim().split('\n') }
  }
  expect(await written(false)).toEqual({
    rows: 4,
    lines: ["'=id,p,decision", "'@x,0.9,true", '"a,""b",0.5,false', "'=1+1,0.1,true", "'-2,-0.5,true"],
  })
  expect((await written(true)).lines).toHaveLength(4)
})

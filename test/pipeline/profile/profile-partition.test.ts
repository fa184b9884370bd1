import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judgeDrift } from '../../../src/pipeline/drift/judge-drift.ts'
import { distinctOf, scaled } from '../../../src/pipeline/profile/count-numbers.ts'
import { edgesOf, nextAbove, nextBelow } from '../../../src/pipeline/profile/edges.ts'
import { mergeProfiles } from '../../../src/pipeline/profile/merge.ts'
import type { CategoryProfile, NumberProfile, Profile } from '../../../src/pipeline/profile/profile.ts'
import { profilePartition } from '../../../src/pipeline/profile/profile-partition.ts'

let folder: string
let instance: DuckDBInstance
let connection: DuckDBConnection

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-profile-')))
  instance = await DuckDBInstance.create(':memory:')
  connection = await instance.connect()
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
async function write(sql: string): Promise<string> {
  const path = join(folder, `${files++}.parquet`)
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`)
  return path
}

async function profile(sql: string, baseline?: Profile, scores?: string): Promise<Profile> {
  return profilePartition({
    features: await write(sql),
    scores: scores === undefined ? undefined : await write(scores),
    entity: ['id'],
    columns: undefined,
    score: 'p',
    baseline,
    temp: folder,
    threads: 2,
  })
}

function numbers({ columns }: Profile, name: string): NumberProfile {
  const column = columns.find((each) => each.column === name)
  if (column?.kind !== 'number') throw new Error(`expected ${name} to be a number, got: ${column?.kind}`)
  return column
}

function categories({ columns }: Profile, name: string): CategoryProfile {
  const column = columns.find((each) => each.column === name)
  if (column?.kind !== 'category') throw new Error(`expected ${name} to be a category, got: ${column?.kind}`)
  return column
}

async function values(sql: string): Promise<number[]> {
  return (await connection.runAndReadAll(sql)).getRows().map(([value]) => Number(value))
}

describe('edges', () => {
  test('are the distinct percentiles, with a second edge right above an atom', () => {
    expect(edgesOf([1, 2, 3])).toEqual([1, 2, 3])
    expect(edgesOf([0, 0, 0, 1, 2])).toEqual([0, Number.MIN_VALUE, 1, 2])
    expect(edgesOf([5, 5, 5])).toEqual([5, 5.000000000000001])
    expect(edgesOf([])).toEqual([])
  })

  test('neighbouring doubles', () => {
    for (const value of [0, 1, -1, 1e-300, -5e-324, 123456.789, 1e300]) {
      expect(nextAbove(value)).toBeGreaterThan(value)
      expect(nextBelow(nextAbove(value))).toBe(value)
    }
  })
})

describe('against another way of counting', () => {
  const SQL = `SELECT i AS id, CASE WHEN i % 50 = 0 THEN NULL ELSE (hash(i) % 100003 / 1000.0)::FLOAT END AS x,
                      (hash(i + 7) % 9)::INTEGER AS small, DATE '2026-01-01' + (hash(i) % 400)::INTEGER AS day,
                      hash(i + 1) % 3 = 0 AS flag, 'r' || (hash(i + 2) % 70) AS region, (hash(i + 3) % 10000 / 100)::DECIMAL(9,2) AS money
                 FROM range(20000) t(i)`

  test('each bin holds what plain JavaScript counts there, and the moments are those of DuckDB', async () => {
    const before = await profile(SQL)
    const shifted = SQL.replace('range(20000)', 'range(30000, 41000)')
    const now = await profile(shifted, before)
    for (const [name, sql] of [
      ['x', 'x'],
      ['small', 'small'],
      ['day', 'epoch(day)'],
      ['money', 'money'],
    ] as const) {
      const column = numbers(now, name)
      const all = await values(`SELECT (${sql})::DOUBLE FROM (${shifted}) WHERE ${name} IS NOT NULL`)
      expect(column.edges).toEqual(numbers(before, name).edges)
      expect(column.edges.length).toBeLessThanOrEqual(99)
      const edges = [Number.NEGATIVE_INFINITY, ...column.edges, Number.POSITIVE_INFINITY]
      const counted = column.counts.map(
        (_, bin) => all.filter((value) => value >= (edges[bin] ?? 0) && value < (edges[bin + 1] ?? 0)).length,
      )
      expect(column.counts, name).toEqual(counted)
      const [row = []] = (
        await connection.runAndReadAll(
          `SELECT min(v), max(v), avg(v), stddev_pop(v) FROM (SELECT (${sql})::DOUBLE AS v FROM (${shifted}))`,
        )
      ).getRows()
      const [min, max, mean, sd] = row.map(Number)
      expect([column.min, column.max]).toEqual([min, max])
      expect(column.mean).toBeCloseTo(mean ?? 0, 5)
      expect((column.sd ?? 0) / (sd ?? 1)).toBeCloseTo(1, 9)
      expect(column.nulls).toBe(11_000 - all.length)
      expect(column.distinct / new Set(all).size).toBeCloseTo(1, 0)
      const sorted = all.toSorted((a, b) => a - b)
      const median = column.quantiles?.[4] ?? 0
      const rank = sorted.filter((value) => value <= median).length / sorted.length
      if (name === 'x' || name === 'money') expect(rank).toBeCloseTo(0.5, 1)
    }
  })

  test('categories: the fifty most frequent, others that the baseline has, and unseen ones', async () => {
    const before = await profile(SQL)
    const region = categories(before, 'region')
    expect(region.values).toHaveLength(50)
    expect(region.known).toHaveLength(20)
    expect(region.counts).toEqual([...region.counts].sort((a, b) => b - a))
    expect(region.other).toBe(20_000 - region.counts.reduce((sum, count) => sum + count, 0))
    const now = categories(
      await profile(
        `SELECT i AS id, CASE WHEN i < 10 THEN NULL WHEN i < 30 THEN 'new' WHEN i < 35 THEN 'it''s' ELSE 'r' || (i % 70) END AS region FROM range(7035) t(i)`,
        before,
      ),
      'region',
    )
    expect(now).toMatchObject({
      nulls: 10,
      unseen: 25,
      unseen_values: [
        { value: 'new', count: 20 },
        { value: "it's", count: 5 },
      ],
    })
    expect(now.values).toEqual(region.values)
    expect(now.counts.reduce((sum, count) => sum + count, now.other)).toBe(7000)
    expect(now.known).toBeUndefined()
    expect(categories(before, 'flag').values).toEqual(['false', 'true'])
  })

  test('the score is counted apart, under its own name', async () => {
    const found = await profile(
      'SELECT i AS id, i AS x FROM range(10) t(i)',
      undefined,
      'SELECT i AS id, i / 10 AS p, true AS decision, 1 AS version FROM range(10) t(i)',
    )
    expect(found.columns.map(({ column, score }) => [column, score])).toEqual([
      ['x', false],
      ['p', true],
    ])
    expect(found).toMatchObject({ rows: 10, entities: 10 })
  })

  test('of 400,000 rows a sixth is looked at for the histogram, and all for what is exact', async () => {
    const sql = `SELECT i AS id, CASE WHEN i = 77 THEN NULL ELSE hash(i) % 1000000 / 1000.0 END AS x, (hash(i) % 5)::INTEGER AS few FROM range(400000) t(i)`
    const before = await profile(
      'SELECT i AS id, hash(i) % 1000000 / 1000.0 AS x, (hash(i) % 5)::INTEGER AS few FROM range(5000) t(i)',
    )
    const now = await profile(sql, before)
    const x = numbers(now, 'x')
    expect(x.nulls).toBe(1)
    expect(x.counts.reduce((sum, count) => sum + count, 0)).toBe(399_999)
    const all = await values(`SELECT x::DOUBLE FROM (${sql}) WHERE x IS NOT NULL`)
    const edges = [Number.NEGATIVE_INFINITY, ...x.edges, Number.POSITIVE_INFINITY]
    for (const [bin, count] of x.counts.entries()) {
      const exact = all.filter((value) => value >= (edges[bin] ?? 0) && value < (edges[bin + 1] ?? 0)).length
      expect(Math.abs(count - exact)).toBeLessThan(5 * Math.sqrt(exact * 6) + 10)
    }
    expect(numbers(now, 'few').distinct).toBe(5)
    expect(x.distinct / new Set(all).size).toBeGreaterThan(0.7)
    expect(x.distinct / new Set(all).size).toBeLessThan(1.4)
  })
})

describe('odd partitions are figures, never crashes', () => {
  // Columns as census tables have them.
  const ADULT = (rows: string, more: string) =>
    `SELECT i AS id, 17 + (hash(i) % 74)::INTEGER AS age, CASE WHEN hash(i + 1) % 12 = 0 THEN 0 ELSE hash(i + 1) % 99999 END::BIGINT AS capital_gain,
            CASE WHEN hash(i + 2) % 18 = 0 THEN NULL ELSE ['Private', 'Self-emp', 'State-gov'][1 + (hash(i + 2) % 3)::INTEGER] END AS workclass,
            ${more} FROM ${rows} t(i)`
  const ORDINARY = `NULL AS nothing, 7 AS constant, (hash(i + 4) % 1000 / 10)::DOUBLE AS hours, 'c' || (hash(i + 5) % 30) AS country, 'x' || i AS code`

  test('nulls, an all-null column, a constant, infinities, unseen and very many categories', async () => {
    const before = await profile(ADULT('range(5000)', ORDINARY))
    const odd = `NULL::VARCHAR AS nothing, 8 AS constant, CASE WHEN i % 10 = 0 THEN 'inf'::DOUBLE WHEN i % 10 = 1 THEN '-inf'::DOUBLE WHEN i % 10 = 2 THEN 'nan'::DOUBLE ELSE hash(i + 4) % 1000 / 10 END AS hours, 'd' || (hash(i + 5) % 30) AS country, 'x' || (i + 7) AS code`
    const now = await profile(ADULT('range(5000, 7000)', odd), before)
    expect(numbers(now, 'nothing')).toMatchObject({ nulls: 2000, mean: null, quantiles: null, counts: [0] })
    expect(numbers(now, 'hours')).toMatchObject({ infinite: 600, nulls: 0, min: expect.any(Number) })
    expect(numbers(now, 'hours').max).toBeLessThan(100)
    expect(numbers(now, 'hours').mean).toBeGreaterThan(40)
    expect(categories(now, 'country')).toMatchObject({ unseen: 2000, counts: expect.arrayContaining([0]) })
    expect(categories(now, 'code').known).toBeUndefined()
    expect(categories(now, 'code')).toMatchObject({ unseen: 0 })

    const drift = judgeDrift({
      reference: before,
      parts: [],
      tonight: now,
      columns: undefined,
      score: true,
      minEffect: 0.1,
      seed: 1,
    })
    const by = Object.fromEntries(drift.map((each) => [each.column, each]))
    for (const column of ['age', 'capital_gain', 'workclass', 'nothing', 'code'])
      expect(by[column], column).toMatchObject({ drifted: false })
    expect(by.nothing?.note).toBe('all null, as in the reference')
    expect(by.code?.note).toMatch(/^too many values/)
    expect(by.constant).toMatchObject({ drifted: true })
    expect(by.hours).toMatchObject({ drifted: true, note: '600 values are infinite or NaN' })
    expect(by.country?.fired).toContain('unseen')
    for (const each of drift) expect(JSON.parse(JSON.stringify(each))).toEqual(each)
  })

  test.each(['range(3)', 'range(0)'])('%s', async (rows) => {
    const before = await profile(ADULT('range(5000)', ORDINARY))
    const small = await profile(ADULT(rows, ORDINARY), before)
    const own = await profile(ADULT(rows, ORDINARY))
    const later = await profile(ADULT('range(5000)', ORDINARY), own)
    for (const each of [small, own]) {
      expect(each.columns).toHaveLength(8)
      expect(JSON.parse(JSON.stringify(each))).toEqual(each)
    }
    const judge = (reference: Profile, tonight: Profile) =>
      judgeDrift({ reference, parts: [], tonight, columns: undefined, score: true, minEffect: 0.1, seed: 1 })
    const notes = [...judge(before, small), ...judge(own, later), ...judge(own, own)]
    expect(notes.every(({ drifted, note }) => !drifted && /no rows|not enough rows/.test(note ?? ''))).toBe(
      true,
    )
  })

  test('lists, blobs and columns that are not there are left out by name', async () => {
    const path = await write(
      `SELECT i AS id, [i] AS list, {'a': i} AS struct, 'x'::BLOB AS bytes, TIME '01:00' AS at, i AS x FROM range(5) t(i)`,
    )
    const found = await profilePartition({
      features: path,
      scores: undefined,
      entity: ['id'],
      columns: ['x', 'list', 'struct', 'bytes', 'at', 'lost'],
      score: 'p',
      baseline: undefined,
      temp: folder,
      threads: 1,
    })
    expect(found.columns.map(({ column }) => column)).toEqual(['x'])
    expect(found.left_out.map(({ column }) => column)).toEqual(['list', 'struct', 'bytes', 'at', 'lost'])
    expect(found.left_out.at(-1)?.why).toBe('there is no such column')
  })

  test('long texts, texts that the ledger cannot store, huge numbers and infinite times', async () => {
    const found = await profile(
      `SELECT i AS id, repeat('a', 300) || i AS text, 'a' || chr(0) || 'b' AS nul, CASE WHEN i = 0 THEN 1e300 ELSE 1 END AS huge,
              CASE WHEN i = 0 THEN 'infinity'::TIMESTAMP ELSE TIMESTAMP '2026-01-01' END AS at FROM range(4) t(i)`,
    )
    expect(categories(found, 'text').values.every((value) => value.length < 100)).toBe(true)
    expect(new Set(categories(found, 'text').values).size).toBe(4)
    expect(categories(found, 'nul').values).toEqual(['a\uFFFDb'])
    expect(numbers(found, 'huge')).toMatchObject({ max: 1e300, sd: null })
    expect(numbers(found, 'at')).toMatchObject({ infinite: 1, nulls: 0, max: 1767225600 })
  })
})

test('merged profiles are what all rows together give', async () => {
  const SQL = (from: number, to: number) =>
    `SELECT i AS id, CASE WHEN i % 20 = 0 THEN NULL ELSE (i * 7919) % 1000 END AS x, 'r' || (i % 4) AS region FROM range(${from}, ${to}) t(i)`
  const before = await profile(SQL(0, 500))
  const [first, second, both] = [
    await profile(SQL(500, 900), before),
    await profile(SQL(900, 1700), before),
    await profile(SQL(500, 1700), before),
  ]
  const merged = mergeProfiles([first, second])
  expect(merged).toMatchObject({ rows: 1200, entities: 800 })
  expect(numbers(merged, 'x').counts).toEqual(numbers(both, 'x').counts)
  expect(numbers(merged, 'x').mean).toBeCloseTo(numbers(both, 'x').mean ?? 0, 9)
  expect(numbers(merged, 'x').sd).toBeCloseTo(numbers(both, 'x').sd ?? 0, 9)
  expect(numbers(merged, 'x').nulls).toBe(numbers(both, 'x').nulls)
  expect(categories(merged, 'region').counts).toEqual(categories(both, 'region').counts)
})

test('a sample’s counts become whole numbers with the right sum, and its distinct values all of them', () => {
  expect(scaled([1, 1, 1], 100)).toEqual([34, 33, 33])
  expect(scaled([0, 0], 0)).toEqual([0, 0])
  expect(distinctOf(12, 125_000, 1_000_000)).toBe(12)
  expect(distinctOf(125_000, 125_000, 1_000_000)).toBe(1_000_000)
  // 100,000 equally frequent values: 125,000 rows show 71,350 of them.
  expect(distinctOf(71_350, 125_000, 1_000_000)).toBeCloseTo(100_000, -3)
})

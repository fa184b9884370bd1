import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { bindPlan } from '../../../src/pipeline/sql/bound-plan.ts'
import { findUnlike, problemIn } from '../../../src/pipeline/sql/unlike-types.ts'
import { type CaseView, compute, makeFolder, writeParquet } from '../feature-case.ts'

/** BIGINT 9007199254740993 in one source, DOUBLE 9007199254740992 in the other. */
async function makeKeys(): Promise<{ root: string; view: (sql: string) => CaseView }> {
  const root = makeFolder()
  await writeParquet(
    join(root, 'a.parquet'),
    "SELECT 9007199254740993::BIGINT AS id, TIMESTAMP '2026-11-01' AS at",
  )
  await writeParquet(
    join(root, 'b.parquet'),
    "SELECT 9007199254740992::DOUBLE AS id, 'pro' AS plan, TIMESTAMP '2026-11-01' AS at",
  )
  const source = (path: string) => ({ kind: 'events', path, event_time: 'at' }) as const
  return { root, view: (sql) => ({ sql, sources: { a: source('a.parquet'), b: source('b.parquet') } }) }
}

let engine: Engine

beforeAll(async () => {
  engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
})
afterAll(() => engine.close())

const columns = Object.entries({
  ...{
    big: 'BIGINT',
    i: 'INTEGER',
    s: 'VARCHAR',
    f: 'FLOAT',
    d: 'DOUBLE',
    m: 'DECIMAL(18,2)',
    small: 'DECIMAL(9,2)',
  },
  ...{
    t: 'TIMESTAMP',
    day: 'DATE',
    b: 'BOOLEAN',
    h: 'HUGEINT',
    bigs: 'BIGINT[]',
    row: 'STRUCT(k BIGINT)',
    nothing: 'INTEGER',
  },
}).map(([name, type]) => ({ name, type }))

const TYPE =
  /STRUCT\([^)]*\)|DECIMAL\(\d+,\d+\)|(?:BIGINT|INTEGER|VARCHAR|FLOAT|DOUBLE|DATE|HUGEINT)(?:\[\])?/g

/** `line:column` and the two types of each problem. */
async function unlike(sql: string): Promise<string[]> {
  const plan = await bindPlan(engine, sql, { as_of: '2026-11-22 00:00:00' }, [
    { name: 'a', columns },
    { name: 'c', columns },
  ])
  if (plan === undefined) throw new Error(`does not bind: ${sql}`)
  return (await findUnlike(engine, plan, new Set(['nothing']))).map((each) => {
    const { line, column, message } = problemIn(sql, 'features.sql', each)
    const [first, second] = [...message.matchAll(TYPE)].map(([type]) => type)
    return `${line}:${column} ${first} ${second}`
  })
}

describe('types that are compared', () => {
  it.each([
    ['SELECT 1 FROM a JOIN c ON a.big = c.d', '1:27 BIGINT DOUBLE'],
    ['SELECT 1 FROM a JOIN c ON c.d = a.big', '1:33 BIGINT DOUBLE'],
    ['SELECT 1\nFROM a JOIN c\n  ON $as_of > a.t AND a.s = c.i', '3:23 VARCHAR INTEGER'],
    ['SELECT $as_of, $as_of, a.f = c.m FROM a, c', '1:30 DECIMAL(18,2) FLOAT'],
    ['SELECT * FROM (SELECT big FROM a) JOIN (SELECT d AS big FROM c) USING (big)', undefined],
    ['SELECT * FROM (SELECT big FROM a) NATURAL JOIN (SELECT d AS big FROM c)', undefined],
    ['SELECT * FROM a SEMI JOIN c ON a.s = c.big', '1:32 VARCHAR BIGINT'],
    ['SELECT * FROM a ASOF JOIN c ON a.s = c.s AND a.big >= c.d', '1:46 BIGINT DOUBLE'],
    ['SELECT 1 FROM a WHERE big IN (SELECT d FROM c)', '1:23 BIGINT DOUBLE'],
    ['SELECT 1 FROM a WHERE big NOT IN (SELECT d FROM c)', '1:23 BIGINT DOUBLE'],
    ['SELECT 1 FROM a WHERE big = ANY (SELECT d FROM c)', '1:23 BIGINT DOUBLE'],
    ['SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM c WHERE c.d = a.big)', '1:59 BIGINT DOUBLE'],
    ['SELECT big IN (d, 1) FROM a', '1:8 BIGINT DOUBLE'],
    ['SELECT big BETWEEN d AND 5 FROM a', '1:8 BIGINT DOUBLE'],
    ['SELECT CASE big WHEN d THEN 1 END FROM a', '1:13 BIGINT DOUBLE'],
    ['SELECT nullif(big, d) FROM a', undefined],
    ['SELECT big IS DISTINCT FROM d FROM a', '1:8 BIGINT DOUBLE'],
    ['SELECT big IN [d] FROM a', '1:8 BIGINT DOUBLE[]'],
    ['SELECT list_contains(bigs, d) FROM a', '1:22 BIGINT[] DOUBLE'],
    ['SELECT list_filter(bigs, lambda v: v = d) FROM a', undefined],
    ['SELECT [big] = [d] FROM a', '1:9 BIGINT[] DOUBLE[]'],
    ['SELECT row(big, 1) = row(d, 1) FROM a', '1:8 STRUCT(BIGINT, INTEGER) STRUCT(DOUBLE, INTEGER)'],
    ['SELECT m = d FROM a', '1:8 DECIMAL(18,2) DOUBLE'],
    ['SELECT h = d FROM a', '1:8 HUGEINT DOUBLE'],
    ['SELECT i = f FROM a', '1:8 INTEGER FLOAT'],
    ["SELECT s::ENUM('1') = i FROM a", '1:9 INTEGER INTEGER'],
    ['SELECT coalesce(big, d) FROM a', '1:17 BIGINT DOUBLE'],
    ['SELECT coalesce(m, d) FROM a', '1:17 DECIMAL(18,2) DOUBLE'],
    ['SELECT ifnull(big, d) FROM a', '1:15 BIGINT DOUBLE'],
    ['SELECT greatest(big, d) FROM a', '1:17 BIGINT DOUBLE'],
    ['SELECT least(d, 1, m) FROM a', '1:20 DECIMAL(18,2) DOUBLE'],
    ["SELECT if(s = 'a', big, d) FROM a", '1:20 BIGINT DOUBLE'],
    ["SELECT CASE WHEN s = 'a' THEN big WHEN b THEN 1 ELSE d END FROM a", '1:31 BIGINT DOUBLE'],
    ["SELECT CASE s WHEN 'a' THEN d WHEN 'b' THEN h END FROM a", '1:45 HUGEINT DOUBLE'],
    ['SELECT i FROM a GROUP BY i HAVING max(if(b, big, d)) > 1', '1:45 BIGINT DOUBLE'],
    ['SELECT s = day FROM a', '1:8 VARCHAR DATE'],
    ['SELECT sum(d) OVER (ORDER BY t) = big FROM a', '1:35 BIGINT DOUBLE'],
    ['SELECT big > d FROM a', '1:8 BIGINT DOUBLE'],
    ['SELECT h > 1e400 AND big <= d FROM a', '1:22 BIGINT DOUBLE'],
    ['SELECT i FROM a GROUP BY i HAVING max(big) >= min(d)', '1:35 BIGINT DOUBLE'],
    ['SELECT i FROM a GROUP BY i HAVING count(*) > max(f)', '1:35 BIGINT FLOAT'],
    ['SELECT i FROM a GROUP BY i HAVING sum(i) = avg(d)', '1:35 HUGEINT DOUBLE'],
    [
      'SELECT 1 FROM a JOIN (SELECT big, max(d) AS top FROM c GROUP BY big) x ON a.big > x.top',
      '1:75 BIGINT DOUBLE',
    ],
    ['SELECT list_filter(bigs, lambda v: v > d) FROM a', undefined],
    [
      'WITH m AS (SELECT avg(d) AS mean FROM c) SELECT 1 FROM a JOIN m ON a.big = m.mean',
      '1:68 BIGINT DOUBLE',
    ],
    ['SELECT count(*) AS n FROM a UNION ALL SELECT sum(d)::FLOAT FROM a', '1:8 BIGINT FLOAT'],
    [
      'WITH x AS (SELECT big AS k FROM a), y AS (SELECT k FROM x GROUP BY k) SELECT 1 FROM y JOIN c ON y.k = c.d',
      '1:97 BIGINT DOUBLE',
    ],
    ['SELECT big FROM a UNION SELECT d FROM c', '1:8 BIGINT DOUBLE'],
    ['SELECT big FROM a EXCEPT SELECT d FROM c', '1:8 BIGINT DOUBLE'],
    ['SELECT d FROM c INTERSECT SELECT big FROM a', '1:34 BIGINT DOUBLE'],
    [
      'WITH RECURSIVE r AS (SELECT big AS k FROM a UNION ALL SELECT c.d FROM c, r) SELECT k FROM r',
      '1:62 DOUBLE BIGINT',
    ],
    ['SELECT i::BIGINT = d, big = d FROM a', '1:23 BIGINT DOUBLE'],
  ])('are refused where one does not fit the other: %s', async (sql, problem) => {
    const found = await unlike(sql)
    if (problem === undefined)
      expect(found.map((each) => each.split(' ').slice(1).join(' '))).toEqual(['BIGINT DOUBLE'])
    else expect(found).toContain(problem)
  })

  it('are said with the cast to write', async () => {
    const plan = await bindPlan(engine, 'SELECT a.big = c.d FROM a, c', {}, [
      { name: 'a', columns },
      { name: 'c', columns },
    ])
    if (plan === undefined) throw new Error('does not bind')
    expect(await findUnlike(engine, plan, new Set())).toEqual([
      {
        message:
          'big (BIGINT) is compared with d (DOUBLE), and as DOUBLE values that differ may be equal or be none: write the cast that you mean, d::BIGINT or big::DOUBLE',
        index: 7,
      },
    ])
  })

  it.each([
    "SELECT d > 10, d = 1.5, f = 0.7, big = 5.0, big > 1e3, m > 1.5, s = '5', t >= '2026-01-01', day = '2026-01-01', big = '7', s IN ('a', 'b'), big IN (1, 2.5), big BETWEEN 0.5 AND 7 FROM a",
    'SELECT i = big, i = d, f = d, m = i, m = big, small = d, day = t, b = i, big = h, t > $as_of, day >= $as_of FROM a',
    "SELECT t >= $as_of - INTERVAL 30 DAY, CASE WHEN s = 'a' THEN 1.5 ELSE i END, coalesce(big, 0), big + d, sum(big) OVER () FROM a",
    'SELECT 1 FROM a JOIN c ON a.big::DOUBLE = c.d AND a.s = c.big::VARCHAR AND CAST(a.m AS FLOAT) = c.f',
    'SELECT 1 FROM a JOIN c ON a.big = c.d::BIGINT AND a.i::BIGINT = c.s::BIGINT',
    'SELECT CAST(big AS DOUBLE) IN (SELECT d FROM c), big::DOUBLE BETWEEN d AND 5, CASE big::DOUBLE WHEN d THEN 1 END, TRY_CAST(s AS BIGINT) = big FROM a',
    'SELECT big::DOUBLE FROM a UNION SELECT d FROM c UNION ALL SELECT i FROM a UNION ALL SELECT 0',
    'SELECT s FROM a UNION ALL SELECT big FROM a',
    'SELECT coalesce(big, 0), coalesce(m, 0.5), coalesce(i, d), coalesce(big::DOUBLE, d), coalesce(f, 0.1) FROM a',
    'SELECT coalesce(count(*), max(d)), coalesce(sum(i), avg(d)) FROM a',
    'SELECT greatest(big, 0), least(i, d), if(b, m, 0.5), CASE WHEN b THEN i ELSE d END, greatest(big::DOUBLE, d), if(b, big, NULL) FROM a',
    'SELECT CASE WHEN b THEN big ELSE 0 END, if(b, s, day::VARCHAR) FROM a',
    'SELECT if(count(*) > 1, sum(m), avg(d)), greatest(count(*), max(d)) FROM a',
    'SELECT nothing = s, s = nothing, d = nothing FROM a',
    'SELECT i FROM a GROUP BY i HAVING count(*) > 1.5 AND avg(d) > 1 AND count(*) FILTER (d > 1) = 0',
    'WITH k AS (SELECT big::DOUBLE AS k FROM a) SELECT 1 FROM k JOIN c ON k.k = c.d',
    'SELECT i FROM a GROUP BY i HAVING count(*) > avg(d) AND sum(i) > avg(d) AND count(*) = max(d)',
    'SELECT 1 FROM a WHERE m > (SELECT avg(m) FROM c) AND a.big > 0.2 * (SELECT avg(d) FROM c WHERE c.i = a.i)',
    'WITH mean AS MATERIALIZED (SELECT i, avg(m) AS m FROM a GROUP BY i), z AS (SELECT * FROM mean) SELECT 1 FROM a JOIN z USING (i) WHERE a.m > z.m AND a.big BETWEEN z.m AND 2 * z.m',
    'SELECT 1 FROM (SELECT i, count(*) AS n FROM a GROUP BY i) x LEFT JOIN c ON x.i = c.i AND x.n >= c.d',
    "SELECT date_diff('day', t, $as_of) > d, length(s) <= d, row_number() OVER (ORDER BY t, big) <= 0.1 * d, dense_rank() OVER (ORDER BY t) = d, hour(t) = d FROM a",
    'SELECT big > quantile_cont(d, 0.9) OVER (PARTITION BY i), m > coalesce(avg(d) OVER (), 0), m > CASE WHEN i = 1 THEN avg(d) OVER () ELSE 5 END FROM a',
    'SELECT count(*)::DOUBLE AS n FROM a UNION ALL SELECT avg(d) FROM c UNION ALL SELECT count(*) FROM c',
    'SELECT 1 FROM a WHERE m > ALL (SELECT avg(d) FROM c GROUP BY i)',
    'SELECT d < 1e400, d > -1e400 FROM a',
  ])('are left alone: %s', async (sql) => {
    expect(await unlike(sql)).toEqual([])
  })
})

describe('SQL whose plan cannot be read', () => {
  it('is refused where it would run, and left to the query where it does not bind', async () => {
    const blind = { ...engine, row: () => Promise.resolve({ plan: 'no JSON' }) }
    await expect(bindPlan(blind, 'SELECT 1', {}, [])).rejects.toThrow(
      'DuckDB cannot write down how it reads this SQL',
    )
    expect(await bindPlan(blind, 'SELECT nobody FROM a', {}, [{ name: 'a', columns }])).toBeUndefined()
  })
})

describe('a night whose keys are of unlike types', () => {
  it.each(['ON a.id = b.id', 'USING (id)'])('is refused: %s', async (on) => {
    const { root, view } = await makeKeys()
    const sql = `SELECT a.id, max(b.plan) AS plan, $as_of AS at\nFROM a JOIN b ${on} GROUP BY a.id`
    await expect(compute(root, view(sql), '2026-11-22')).rejects.toThrow(
      /id \(BIGINT\) is compared with id \(DOUBLE\)/,
    )
  })

  it('joins nothing that differs where the cast is written', async () => {
    const { root, view } = await makeKeys()
    const sql = 'SELECT a.id, max(b.plan) AS plan FROM a LEFT JOIN b ON a.id = b.id::BIGINT GROUP BY a.id'
    expect((await compute(root, view(sql), '2026-11-22')).rows).toEqual([
      { id: '9007199254740993', plan: null },
    ])
  })
})

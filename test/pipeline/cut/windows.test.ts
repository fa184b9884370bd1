import { DuckDBTimestampValue } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { timestampText } from '../../../src/pipeline/cut/time-column.ts'
import { findWindows } from '../../../src/pipeline/cut/windows.ts'
import { type Engine, openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { asNode, parseSql } from '../../../src/pipeline/sql/syntax.ts'

let engine: Engine

beforeAll(async () => {
  engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
})
afterAll(() => engine.close())

const AS_OF = new DuckDBTimestampValue(BigInt(Date.parse('2026-11-22T00:00:00Z')) * 1000n)

/** The window of `c.at` as `from .. to` in days, `-` where it is open; none where there is none. */
async function windowOf(sql: string): Promise<string> {
  const parsed = await parseSql(engine, sql)
  const tree = parsed.ok ? asNode(parsed.statements[0]?.node) : undefined
  if (tree === undefined) throw new Error(`cannot be parsed: ${sql}`)
  const windows = await findWindows(engine, tree, ['calls', 'customers'], { as_of: AS_OF })
  const range = windows.get('calls')?.get('ts')
  if (range === undefined) return 'none'
  const side = (value: bigint) =>
    value > 2n ** 62n || value < -(2n ** 62n) ? '-' : timestampText(value).slice(5, 10)
  return `${side(range.min)} .. ${side(range.max)}`
}

const RECENT = 'c.ts >= $as_of - INTERVAL 30 DAY'

it.each([
  ['SELECT 1 FROM calls WHERE ts >= $as_of - INTERVAL 30 DAY', '10-23 .. -'],
  ['SELECT 1 FROM calls WHERE $as_of - INTERVAL 30 DAY < ts AND a = 1', '10-23 .. -'],
  [
    "SELECT 1 FROM calls WHERE ts BETWEEN DATE '2026-11-01' AND $as_of AND ts > '2026-11-05'",
    '11-05 .. 11-22',
  ],
  ["SELECT 1 FROM calls WHERE ts = TIMESTAMP '2026-11-05 10:00:00'", '11-05 .. 11-05'],
  [`SELECT 1 FROM customers k JOIN calls c ON k.id = c.id AND ${RECENT}`, '10-23 .. -'],
  [`SELECT 1 FROM customers k LEFT JOIN calls c ON k.id = c.id AND ${RECENT}`, '10-23 .. -'],
  [`SELECT (SELECT max(a) FROM calls c WHERE c.id = k.id AND ${RECENT}) FROM customers k`, '10-23 .. -'],
  [`WITH w AS (SELECT * FROM calls c WHERE ${RECENT}) SELECT * FROM w`, '10-23 .. -'],
  // Two mentions: the wider of both.
  [
    `SELECT 1 FROM calls c WHERE ${RECENT} UNION ALL SELECT 1 FROM calls WHERE ts >= $as_of - INTERVAL 60 DAY`,
    '09-23 .. -',
  ],
])('finds the window of %s', async (sql, window) => {
  expect(await windowOf(sql)).toBe(window)
})

it.each([
  ['an alternative', 'SELECT 1 FROM calls WHERE ts >= $as_of - INTERVAL 30 DAY OR a = 1'],
  ['another mention without bounds', `SELECT 1 FROM calls c WHERE ${RECENT} UNION ALL SELECT 1 FROM calls`],
  ['a row that a join keeps', `SELECT 1 FROM calls c LEFT JOIN customers k ON k.id = c.id AND ${RECENT}`],
  ['both sides kept', `SELECT 1 FROM calls c FULL JOIN customers k ON k.id = c.id AND ${RECENT}`],
  [
    'a row that stands in for another',
    `SELECT 1 FROM customers k ASOF JOIN calls c ON k.ts >= c.ts WHERE ${RECENT}`,
  ],
  ['a filter of an aggregate', `SELECT count(*) FILTER (${RECENT}) FROM calls c`],
  [
    'a condition on groups',
    'SELECT max(ts) FROM calls GROUP BY a HAVING max(ts) >= $as_of - INTERVAL 30 DAY',
  ],
  ['a bound that is a column', 'SELECT 1 FROM calls WHERE ts >= began'],
  [
    'a name that another table may own',
    'SELECT 1 FROM calls c JOIN customers k ON c.id = k.id WHERE ts >= $as_of',
  ],
  [
    'a common table that hides the source',
    `WITH calls AS (SELECT 1 AS ts) SELECT 1 FROM calls c WHERE ${RECENT}`,
  ],
  ['renamed columns', `SELECT 1 FROM calls AS c(ts, b) WHERE ${RECENT}`],
])('finds none in %s', async (_, sql) => {
  expect(await windowOf(sql)).toBe('none')
})

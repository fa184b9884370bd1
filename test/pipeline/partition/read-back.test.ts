import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { readRunId } from '../../../src/pipeline/partition/footer.ts'
import { readBack } from '../../../src/pipeline/partition/read-back.ts'
import { makeFolder, writeParquet } from '../feature-case.ts'

const METADATA = ", KV_METADATA {run: 'r1', note: 'it''s'}"

async function back(
  sql: string,
  more: Partial<Parameters<typeof readBack>[0]> = {},
  damage: (path: string) => void = () => {},
) {
  const folder = makeFolder()
  const path = await writeParquet(join(folder, 'a.parquet'), sql, `, ROW_GROUP_SIZE 2048${METADATA}`)
  damage(path)
  const engine = await openEngine({
    readable: [folder],
    writable: [],
    temp: folder,
    threads: 1,
    timezone: 'UTC',
  })
  try {
    return await readBack({
      engine,
      path,
      entity: ['id'],
      rows: 5000,
      metadata: { run: 'r1', note: "it's" },
      ...more,
    })
  } finally {
    engine.close()
  }
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  expect(error.failureClass).toBe('resource')
  return error.message.replace(/^.*\.parquet: /, '')
}

const range = (id: string) => `SELECT ${id} AS id, i / 3 AS x FROM range(5000) t(i) ORDER BY i`

describe('reading back', () => {
  it.each([
    ['i', 'BIGINT'],
    ['i::SMALLINT', 'SMALLINT'],
    ['i::UINTEGER', 'UINTEGER'],
    ["'k' || lpad(i::VARCHAR, 6, '0')", 'VARCHAR'],
    ["DATE '2020-01-01' + i::INTEGER", 'DATE'],
    ["TIMESTAMP '2020-01-01' + to_microseconds(i)", 'TIMESTAMP'],
    ["TIMESTAMPTZ '2020-01-01 00:00:00+00' + to_seconds(i)", 'TIMESTAMP WITH TIME ZONE'],
    ['(i / 8)::DECIMAL(12, 3)', 'DECIMAL(12,3)'],
    ['i::DOUBLE / 7', 'DOUBLE'],
    ['i > 2500', 'BOOLEAN'],
    ['(i - 2500)::FLOAT / 8', 'FLOAT'],
    ["CASE WHEN i = 0 THEN '-inf' WHEN i = 4999 THEN 'inf' ELSE i::VARCHAR END::FLOAT", 'FLOAT'],
    ["CASE WHEN i = 0 THEN '-0.0' ELSE i::VARCHAR END::DOUBLE", 'DOUBLE'],
    ["CASE WHEN i > 4000 THEN 'nan' ELSE i::VARCHAR END::DOUBLE", 'DOUBLE'],
    ['((i - 2500) * 0.001)::DECIMAL(5, 3)', 'DECIMAL(5,3)'],
    ['(1.005::DECIMAL(9, 3) + i)::DECIMAL(9, 3)', 'DECIMAL(9,3)'],
    ["('9007199254740993.01'::DECIMAL(18, 2) + i)::DECIMAL(18, 2)", 'DECIMAL(18,2)'],
    ["('-12345678901234567890123456789012345.678'::DECIMAL(38, 3) + i)::DECIMAL(38, 3)", 'DECIMAL(38,3)'],
    ["('99999999999999999999999999999999990000'::DECIMAL(38, 0) + i)::DECIMAL(38, 0)", 'DECIMAL(38,0)'],
    ['i::UBIGINT + 18446744073709546615', 'UBIGINT'],
    ["chr(0) || lpad(i::VARCHAR, 6, '0') || chr(0)", 'VARCHAR'],
    ["chr(65279) || lpad(i::VARCHAR, 6, '0')", 'VARCHAR'],
    ["repeat('é', 5000) || lpad(i::VARCHAR, 6, '0')", 'VARCHAR'],
    ["CASE WHEN i < 2500 THEN chr(65535) ELSE chr(128512) END || lpad(i::VARCHAR, 6, '0')", 'VARCHAR'],
    ["CASE WHEN i = 0 THEN '' ELSE lpad(i::VARCHAR, 6, '0') END", 'VARCHAR'],
    ["CASE WHEN i = 0 THEN '-infinity' WHEN i = 4999 THEN 'infinity' ELSE '2020-01-01' END::DATE", 'DATE'],
    ["CASE WHEN i = 4999 THEN 'infinity' ELSE '2020-01-01 00:00:00.000001' END::TIMESTAMP", 'TIMESTAMP'],
    ['CASE WHEN i < 4990 THEN i END', 'BIGINT'],
  ])('agrees on an entity of %s', async (id, type) => {
    const file = await back(range(id))
    expect(file).toMatchObject({
      rows: 5000,
      columns: [
        { name: 'id', type },
        { name: 'x', type: 'DOUBLE' },
      ],
      metadata: { run: 'r1', note: "it's" },
    })
    expect(file.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(file.bytes).toBeGreaterThan(1000)
  })

  it('agrees on several columns, and on a file without rows', async () => {
    await back(`SELECT i // 100 AS id, 'p' || i % 100 AS plan FROM range(5000) t(i) ORDER BY ALL`, {
      entity: ['id', 'plan'],
    })
    await back(
      "SELECT CASE WHEN i > 2500 THEN 'nan' ELSE '0' END::DOUBLE AS id, CASE WHEN i % 2500 > 9 THEN i END AS k FROM range(5000) t(i) ORDER BY ALL",
      { entity: ['id', 'k'] },
    )
    await back('SELECT 1 AS id WHERE false', { rows: 0 })
  })

  it('tells what differs', async () => {
    expect(await failureOf(back(range('i'), { rows: 4999 }))).toBe('rows: wrote 4999, read back 5000')
    expect(await failureOf(back(range('i'), { metadata: { run: 'r2' } }))).toBe(
      'metadata run: wrote r2, read back r1',
    )
    expect(await failureOf(back(range('i'), { columns: [{ name: 'id', type: 'INTEGER' }] }))).toBe(
      'columns: wrote id INTEGER, read back id BIGINT, x DOUBLE',
    )
    expect(await failureOf(back(range('i % 2047')))).toBe(
      'order of id at row 2047: wrote sorted, read back 2046 before 0',
    )
  })

  it('finds a file that was torn or changed behind the back of the engine', async () => {
    const torn = await failureOf(
      back(range('i'), { columns: [] }, (path) => writeFileSync(path, readFileSync(path).subarray(0, 3000))),
    )
    expect(torn).toContain('footer: wrote a whole file')
    const damaged = await failureOf(
      back(
        range('i'),
        {
          columns: [
            { name: 'id', type: 'BIGINT' },
            { name: 'x', type: 'DOUBLE' },
          ],
        },
        (path) => {
          writeFileSync(path, readFileSync(path).fill(0xff, 500, 900))
        },
      ),
    )
    expect(damaged).toMatch(/^(?:column id: wrote values, read back an error|order of id)/)
  })

  it('tells the run of a partition by itself', async () => {
    const path = await writeParquet(join(makeFolder(), 'a.parquet'), 'SELECT 1 AS id', METADATA)
    expect(await readRunId(path)).toBe('r1')
    expect(await readRunId(`${path}.nope`)).toBeUndefined()
    writeFileSync(path, 'no file')
    expect(await readRunId(path)).toBeUndefined()
  })
})

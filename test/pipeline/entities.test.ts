import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkParity } from '../../src/pipeline/parity/check-parity.ts'
import { lookUp } from '../../src/pipeline/scoring/lookup.ts'
import { scorePartition } from '../../src/pipeline/scoring/score-partition.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { compute, makeFolder, makeView, writeParquet } from './feature-case.ts'
import { tensorValue } from './onnx/attribute.ts'
import { small } from './onnx/small.ts'
import { type Case, openCase } from './scoring-case.ts'

const cases: Case[] = []
afterEach(() => {
  for (const each of cases.splice(0)) each.remove()
})

/** Three entities of each type, as SQL, in DuckDB's order; and one as a person types it. */
const ENTITIES: [type: string, values: string[], typed: string][] = [
  ['FLOAT', ["'-inf'::FLOAT", "'-0.0'::FLOAT", '0.1::FLOAT'], '0.1'],
  ['DOUBLE', ['-1e300', '0.1::DOUBLE + 0.2', "'inf'::DOUBLE"], '0.30000000000000004'],
  [
    'DECIMAL(38,10)',
    [
      "'-1234567890123456789012345678.0000000001'::DECIMAL(38,10)",
      "'1.005'::DECIMAL(38,10)",
      "'1234567890123456789012345678.0000000001'::DECIMAL(38,10)",
    ],
    '1.005',
  ],
  [
    'UBIGINT',
    ['0::UBIGINT', '9007199254740993::UBIGINT', '18446744073709551615::UBIGINT'],
    '9007199254740993',
  ],
  ['DATE', ["DATE '0001-01-01'", "DATE '2026-11-22'", "DATE 'infinity'"], '2026-11-22'],
  [
    'TIMESTAMP',
    ["TIMESTAMP '1600-01-01'", "TIMESTAMP '2026-11-22 00:00:00.000001'", "TIMESTAMP 'infinity'"],
    '2026-11-22 00:00:00.000001',
  ],
  ['BOOLEAN', ['false', 'true'], 'true'],
  ['VARCHAR', ["''", "'a' || chr(0) || 'b'", "'a' || chr(1)"], 'a\\u0000b'],
  ['VARCHAR', ["''", 'chr(65535)', 'chr(128512)'], ''],
  ['VARCHAR', ["'\\u0000'", "repeat('é', 5000)", "repeat('é', 5000) || 'x'"], '\\u0000'],
]

describe('entities of any type', () => {
  it.each(ENTITIES)('%s (%s) are published, scored, found and compared', async (type, values, typed) => {
    const root = makeFolder()
    const rows = values.map((value, index) => `SELECT ${value} AS id, ${index} AS x`).reverse()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT id, x, TIMESTAMP '2026-11-01' AS ts FROM (${rows.join(' UNION ALL ')})`,
    )
    const view = {
      sql: 'SELECT id, max(x)::FLOAT AS x FROM t GROUP BY id',
      sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } as const },
    }
    const out = join(makeFolder(), 'features.parquet')
    const { facts, rows: published } = await compute(root, view, '2026-11-22', { out })
    expect(facts.checks.filter(({ passed }) => !passed)).toEqual([])
    expect(facts.file.columns[0]).toEqual({ name: 'id', type })
    expect(published.map(({ x }) => x)).toEqual(values.map((_, index) => `${index}.0`))

    const identity = small(
      [tensorValue('x', 'float32', ['n', 1])],
      [tensorValue('y', 'float32', ['n', 1])],
      [{ op_type: 'Identity', input: ['x'], output: ['y'] }],
    )
    const opened = await openCase({ model: identity, sql: `SELECT * FROM read_parquet('${out}')` })
    cases.push(opened)
    const scored = await scorePartition(opened.request)
    expect(scored.file.columns[0]).toEqual({ name: 'id', type })

    const found = await lookUp({ path: scored.file.path, entities: [{ id: typed }], temp: makeFolder() })
    expect(found.row?.id).toBe(typed === 'a\\u0000b' ? 'a\0b' : found.row?.id)
    const again = await lookUp({ path: out, entities: [{ id: found.row?.id ?? '' }], temp: makeFolder() })
    expect(again.row?.x).toBe(found.row?.p)
    expect(again.row).toBeDefined()

    const parity = await checkParity({
      root,
      view: makeView(root, view),
      asOf: parseAsOf('2026-11-22', 'UTC'),
      timezone: 'UTC',
      published: {
        file: out,
        run: 'r',
        viewHash: facts.viewHash,
        knownAt: '2999-01-01T00:00:00Z',
        inputs: facts.inputs,
      },
      against: { kind: 'recomputed' },
      threads: 1,
    })
    expect(parity).toMatchObject({ rows: values.length, differing: 0, only_published: 0, only_other: 0 })
  })
})

describe('entities that differ by less than a microsecond', () => {
  const events = { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } as const
  const rows = (part: string) =>
    `SELECT make_timestamp_ns(1793750400000000000 + i * ${part}) AS seen, i AS x, TIMESTAMP '2026-11-01' AS ts FROM range(3) t(i)`

  it.each([
    ['as a time', 'SELECT seen AS id, max(x)::FLOAT AS x FROM t GROUP BY seen'],
    [
      'as a time that is computed',
      'SELECT seen + INTERVAL 1 DAY AS id, max(x)::FLOAT AS x FROM t GROUP BY ALL',
    ],
    ['as a text under the same name', 'SELECT seen::VARCHAR AS seen, max(x)::FLOAT AS x FROM t GROUP BY ALL'],
    ['as a text under another name', 'SELECT seen::VARCHAR AS id, max(x)::FLOAT AS x FROM t GROUP BY ALL'],
    [
      'as a part of a text, through a CTE',
      `WITH keyed AS (SELECT 'k' || Seen::VARCHAR AS k, x FROM t), more AS (SELECT upper(k) AS up, k AS key, x FROM keyed)
       SELECT coalesce(key, '?') AS id, max(x)::FLOAT AS x FROM more GROUP BY ALL`,
    ],
    [
      'as microseconds since 1970, in a subquery',
      'SELECT n.us AS id, max(x)::FLOAT AS x FROM (SELECT epoch_us(seen) AS us, x FROM t) n GROUP BY ALL',
    ],
  ])('are refused and never merged: %s', async (_, sql) => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), rows('1'))
    const view = { sql, entity: [sql.includes('AS seen') ? 'seen' : 'id'], sources: { t: events } }
    await expect(compute(root, view, '2026-11-22')).rejects.toMatchObject({
      failureClass: 'contract',
      message: expect.stringContaining('data/a.parquet: column seen holds parts of a microsecond'),
    })
  })

  it('are no others where nanoseconds end in whole microseconds, or are no entity', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), rows('1000'))
    const byTime = {
      sql: 'SELECT seen AS id, max(x)::FLOAT AS x FROM t GROUP BY seen',
      sources: { t: events },
    }
    expect((await compute(root, byTime, '2026-11-22')).rows).toHaveLength(3)
    const other = makeFolder()
    await writeParquet(join(other, 'data/a.parquet'), rows('1'))
    const byNumber = {
      sql: 'SELECT x AS id, max(hour(seen))::FLOAT AS hour FROM t GROUP BY x',
      sources: { t: events },
    }
    expect((await compute(other, byNumber, '2026-11-22')).rows).toHaveLength(3)
    const byHour = {
      sql: `SELECT 'h' || hour(seen)::VARCHAR AS id, count(*)::FLOAT AS n FROM t GROUP BY ALL`,
      sources: { t: events },
    }
    expect((await compute(other, byHour, '2026-11-22')).rows).toHaveLength(1)
  })
})

it('a text with half a character is refused with its file, never published as another', async () => {
  const root = makeFolder()
  const path = await writeParquet(
    join(root, 'data/a.parquet'),
    "SELECT 'a' || CASE i WHEN 0 THEN 'QQQ' ELSE 'ZZZ' END AS id, i AS x, TIMESTAMP '2026-11-01' AS ts FROM range(2) t(i)",
    ', COMPRESSION uncompressed',
  )
  const bytes = readFileSync(path)
  for (const [text, half] of [
    ['QQQ', [0xed, 0xa0, 0x80]],
    ['ZZZ', [0xed, 0xb0, 0x80]],
  ] as const)
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text)) bytes.set(half, at)
  writeFileSync(path, bytes)
  const view = {
    sql: 'SELECT id, max(x)::FLOAT AS x FROM t GROUP BY id',
    sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts' } as const },
  }
  await expect(compute(root, view, '2026-11-22')).rejects.toMatchObject({
    failureClass: 'contract',
    message: expect.stringMatching(
      /source t: data\/a\.parquet: .*value "a\\xED\\x[AB]0\\x80" is not valid UTF8/,
    ),
  })
})

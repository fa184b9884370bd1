import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { runExample } from '../../../src/pipeline/examples/run-example.ts'
import { identityOf } from '../../../src/pipeline/features/view-hash.ts'
import { findStale } from '../../../src/pipeline/sources/staleness.ts'
import { parseAlone } from '../../../src/pipeline/sql/parse-alone.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { type CaseView, compute, makeFolder, makeView, writeParquet } from '../feature-case.ts'
import { leaksOf } from '../leaks/leak-case.ts'

let root: string
beforeEach(() => {
  root = makeFolder()
})

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true })
  writeFileSync(join(root, name), text)
}

const SELECT = `SELECT DISTINCT "Kunde Nr" AS id, strptime(tag, '%d.%m.%Y') AS ordered_at,
    try_cast(replace(betrag, ',', '.') AS DECIMAL(10,2)) AS amount FROM raw`
const GERMAN =
  'Kunde Nr;tag;betrag\n1;19.11.2026;1,50\n1;19.11.2026;1,50\n2;20.11.2026; \n1;22.11.2026;9,00\n'
const csv: CaseView = {
  sql: 'SELECT id, count(*)::INTEGER AS orders, sum(amount)::FLOAT AS amount FROM orders GROUP BY id',
  sources: {
    orders: {
      kind: 'events',
      path: 'data/*.csv',
      format: 'csv',
      types: { 'Kunde Nr': 'BIGINT' },
      select: SELECT,
      event_time: 'ordered_at',
    },
  },
}
const withSource = (more: object): CaseView => ({
  ...csv,
  sources: { orders: { ...csv.sources.orders, ...more } as CaseView['sources'][string] },
})

async function failureOf(view: CaseView, knownAt = '2999-01-01T00:00:00Z'): Promise<string> {
  const error: unknown = await compute(root, view, '2026-11-21', { knownAt }).catch(
    (reason: unknown) => reason,
  )
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return `${error.failureClass}: ${error.message}`
}

async function hashOf(given: CaseView): Promise<string> {
  const view = makeView(root, given)
  return identityOf(await parseAlone(root, view, 'UTC', root), view, 'UTC').viewHash
}

describe('CSV and JSON files', () => {
  it('are read by their types and select, and cut after it', async () => {
    write('data/a.csv', GERMAN)
    const { facts, rows } = await compute(root, csv, '2026-11-21')
    expect(rows).toEqual([
      { id: '1', orders: '1', amount: '1.5' },
      { id: '2', orders: '1', amount: null },
    ])
    expect(facts.inputs).toMatchObject([
      { path: 'data/a.csv', size: GERMAN.length, rows: 3, newest: '2026-11-22T00:00:00Z' },
    ])
  })

  it('are text where they say no types, and keep the keys of their folders', async () => {
    write('data/day=2026-11-20/a.csv', 'id,code\n1,007\n2,\n')
    write('data/day=2026-11-21/a.csv', 'id,code\n1,008\n')
    const view: CaseView = {
      sql: "SELECT id, code, day::VARCHAR AS day FROM t WHERE code <> ''",
      sources: { t: { kind: 'snapshots', path: 'data/*/*.csv', format: 'csv', snapshot_at: 'day' } },
    }
    expect((await compute(root, view, '2026-11-21')).rows).toEqual([
      { id: '1', code: '007', day: '2026-11-20' },
    ])
  })

  it('give select the keys of their folders as text, such as a day in parts, and keep those of the source', async () => {
    for (const day of [9, 20, 21])
      await writeParquet(
        join(root, `data/year=2026/month=11/day=${day}/a.parquet`),
        `SELECT i AS id, ${day} AS n FROM range(3) t(i)`,
      )
    const view: CaseView = {
      sql: 'SELECT id, sum(n)::INTEGER AS n, max(folder_day)::VARCHAR AS last, max(day)::INTEGER AS day, max(typeof(day)) AS type FROM t WHERE folder_day >= $as_of - INTERVAL 5 DAY GROUP BY id',
      sources: {
        t: {
          kind: 'events',
          path: 'data/**/*.parquet',
          select: 'SELECT *, make_date(year::INTEGER, month::INTEGER, day::INTEGER) AS folder_day FROM raw',
          event_time: 'folder_day',
        },
      },
    }
    const { rows, facts } = await compute(root, view, '2026-11-21')
    expect(rows).toEqual(
      ['0', '1', '2'].map((id) => ({ id, n: '20', last: '2026-11-20', day: '20', type: 'BIGINT' })),
    )
    // The file of the day itself is after the cut.
    expect(facts.inputs.map(({ path }) => path)).not.toContain('data/year=2026/month=11/day=21/a.parquet')
    const folder = '__HIVE_DEFAULT_PARTITION__'
    await writeParquet(join(root, `data/year=${folder}/month=11/day=20/a.parquet`), 'SELECT 9 AS id, 1 AS n')
    const named = { ...view, sql: 'SELECT id, n FROM t WHERE n = 1' }
    expect((await compute(root, named, '2026-11-21')).rows).toEqual([])
  })

  it('keep a column of the file where a key has its name', async () => {
    await writeParquet(join(root, 'data/Code=007/a.parquet'), "SELECT 1 AS id, 'own' AS code")
    const view: CaseView = {
      sql: 'SELECT id, length(seen)::INTEGER AS n FROM t',
      sources: {
        t: { kind: 'static', path: 'data/**/*.parquet', select: 'SELECT id, code AS seen FROM raw' },
      },
    }
    expect((await compute(root, view, '2026-11-21')).rows).toEqual([{ id: '1', n: '3' }])
  })

  it('of JSON lines are read alike', async () => {
    write('data/a.jsonl', '{"id": 1, "at": "2026-11-19T08:00:00"}\n{"id": 1, "at": "2026-11-25T08:00:00"}\n')
    const view: CaseView = {
      sql: 'SELECT id, count(*)::INTEGER AS n FROM t GROUP BY id',
      sources: {
        t: {
          kind: 'events',
          path: 'data/*.jsonl',
          format: 'json',
          types: { at: 'TIMESTAMP' },
          event_time: 'at',
        },
      },
    }
    expect((await compute(root, view, '2026-11-21')).rows).toEqual([{ id: '1', n: '1' }])
  })

  it('with a value of another type are refused with the value, the file and what to do', async () => {
    write('data/a.csv', 'id,TotalCharges,at\n1,2.5,2026-11-01\n2, ,2026-11-01\n')
    const types = { TotalCharges: 'DOUBLE', at: 'TIMESTAMP' }
    const said = await failureOf(withSource({ types, select: undefined, event_time: 'at' }))
    expect(said).toMatch(
      /^contract: source orders: data\/a\.csv cannot be read as CSV: column TotalCharges: expected values of DOUBLE \(types\), got: ' ', in 1 row\. Take it out of types.*try_cast\(TotalCharges AS DOUBLE\)/,
    )
    expect(await failureOf(withSource({ types: { Charges: 'DOUBLE' }, select: undefined }))).toContain(
      'types names Charges, which the file does not have',
    )
    write('data/a.csv', '')
    expect(await failureOf(csv)).toContain('data/a.csv is empty: it has 0 bytes')
  })
})

describe('select', () => {
  it('reads Parquet files too, each by itself, and the leak check sees what comes of it', async () => {
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT i % 40 AS "customer id", strftime(TIMESTAMP '2026-01-01' + to_days(i), '%Y%m%d') AS "at" FROM range(300) t(i)`,
    )
    const sources: CaseView['sources'] = {
      purchases: {
        kind: 'events',
        path: 'data/*.parquet',
        select: `SELECT "customer id" AS id, strptime("at", '%Y%m%d') AS happened FROM raw`,
        event_time: 'happened',
      },
    }
    const sql = 'SELECT id, count(*)::FLOAT AS n FROM purchases GROUP BY id'
    const labels =
      'SELECT id, (count(*) FILTER (happened >= $as_of) > 0)::INTEGER AS buys FROM purchases GROUP BY id'
    const { facts, rows } = await compute(root, { sql, sources }, '2026-02-01')
    expect([rows.length, rows.reduce((sum, { n }) => sum + Number(n), 0)]).toEqual([31, 31])
    expect(facts.inputs).toMatchObject([{ path: 'data/a.parquet', newest: '2026-10-27T00:00:00Z' }])
    const leaks = await leaksOf(root, { sql, sources, labels })
    expect(leaks).toMatchObject({ leaks: [], differing: 0 })
    expect(leaks.values).toBeGreaterThan(0)
  })

  it('is one SELECT over raw: it reads no file, no clock and no other table', async () => {
    write('data/a.csv', GERMAN)
    for (const [select, words] of [
      ["SELECT * FROM read_csv('/etc/passwd')", 'read_csv'],
      ["SELECT * FROM 'data/a.csv'", 'select reads the files of its source alone, as the table raw'],
      ['SELECT *, now() AS ordered_at FROM raw', 'now() depends on when it runs'],
      ['SELECT 1; SELECT 2', 'one SELECT'],
      ['SELECT * FROM orders', 'raw, the rows of a file'],
    ] as const) {
      const said = await failureOf(withSource({ select }))
      expect(said).toMatch(/^contract: source orders: select/)
      expect(said).toContain(words)
    }
    const fresh = new Date('2026-11-22T01:59:00Z')
    utimesSync(join(root, 'data/a.csv'), fresh, fresh)
    const said = await failureOf(withSource({ select: 'SELECT tage FROM raw' }), '2026-11-22T02:00:00Z')
    expect(said).toMatch(
      /^contract: source orders: data\/a\.csv does not have what select and types name: .*tage.*tag/,
    )
  })

  it('is part of what the view is: another one is another hash, and none leaves the hash as it was', async () => {
    const plain = { ...csv, sources: { orders: { kind: 'events', path: 'a', event_time: 't' } } } as CaseView
    const own = await hashOf(csv)
    expect(await hashOf(withSource({ select: `${SELECT} WHERE betrag <> ''` }))).not.toBe(own)
    expect(await hashOf(withSource({ types: {} }))).not.toBe(own)
    expect(await hashOf(withSource({ path: 'elsewhere/*.csv' }))).toBe(own)
    expect(await hashOf(plain)).toBe(
      await hashOf({
        ...plain,
        sources: { orders: { ...plain.sources.orders, format: 'parquet' } },
      } as CaseView),
    )
  })

  it('says nothing of an example, whose rows are what features.sql reads', async () => {
    const at = { name: 'ordered_at', type: 'TIMESTAMP' }
    const facts = await runExample({
      root,
      view: makeView(root, csv),
      timezone: 'UTC',
      example: {
        file: 'one.yaml',
        shows: 'one order',
        asOf: '2026-11-21',
        tables: [
          {
            source: 'orders',
            columns: [{ name: 'id', type: 'BIGINT' }, at, { name: 'amount', type: 'DOUBLE' }],
            rows: [{ id: 1, ordered_at: '2026-11-01 00:00:00', amount: 2 }],
          },
        ],
        rows: [{ id: 1, orders: 1, amount: 2 }],
      },
    })
    expect(facts).toMatchObject({ rows: 1, differences: [] })
  })
})

describe('a converted copy', () => {
  const copies = () =>
    readdirSync(join(root, '.nightshift/converted'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('rows.parquet'),
    )

  it('is made once for each file, again when the file changes, and goes when the file is gone', async () => {
    write('data/a.csv', GERMAN)
    write('data/b.csv', GERMAN)
    await compute(root, csv, '2026-11-21')
    const [first = ''] = copies()
    const made = statSync(join(root, '.nightshift/converted', first)).mtimeMs
    await compute(root, csv, '2026-11-21')
    expect(copies()).toHaveLength(2)
    expect(statSync(join(root, '.nightshift/converted', first)).mtimeMs).toBe(made)
    rmSync(join(root, 'data/b.csv'))
    write('data/a.csv', `${GERMAN}3;18.11.2026;2,00\n`)
    const { rows } = await compute(root, csv, '2026-11-21')
    expect(rows).toHaveLength(3)
    expect(copies()).toHaveLength(2)
  })

  it('lets a partition be compared with its inputs: only rows that the cut shows make it stale', async () => {
    write('data/a.csv', GERMAN)
    const { facts } = await compute(root, csv, '2026-11-21')
    const asOf = parseAsOf('2026-11-21', 'UTC')
    const partitions = [{ asOf, viewHash: facts.viewHash, inputs: facts.inputs }]
    const ask = () => findStale({ root, view: makeView(root, csv), timezone: 'UTC', threads: 1, partitions })
    write('data/a.csv', `${GERMAN}3;23.11.2026;2,00\n`)
    expect(await ask()).toEqual([undefined])
    write('data/a.csv', `${GERMAN}3;18.11.2026;2,00\n`)
    expect(await ask()).toMatchObject([{ reason: expect.stringContaining('data/a.csv has changed: 3 rows') }])
  })
})

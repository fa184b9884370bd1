import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../src/pipeline/engine/failure.ts'
import { findStale } from '../../src/pipeline/sources/staleness.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { type CaseView, compute, makeFolder, makeView, writeParquet } from './feature-case.ts'

const DAY = `TIMESTAMP '2026-01-01' AS ts`

function view(sql: string, more = {}): CaseView {
  return { sql, sources: { t: { kind: 'events', path: 'data/*.parquet', event_time: 'ts', ...more } } }
}

async function files(...selects: string[]): Promise<string> {
  const root = makeFolder()
  for (const [index, select] of selects.entries())
    await writeParquet(join(root, `data/${String.fromCharCode(97 + index)}.parquet`), select)
  return root
}

async function rowsOf(root: string, given: CaseView): Promise<unknown> {
  return (await compute(root, given, '2026-11-22')).rows
}

async function failureOf(root: string, given: CaseView): Promise<Failure> {
  const error: unknown = await rowsOf(root, given).catch((reason: unknown) => reason)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${JSON.stringify(error)}`)
  return error
}

describe('a column that nobody reads', () => {
  it('may change its type, be all null or vanish, although the SQL has its name for another thing', async () => {
    const root = await files(
      `SELECT 1 AS id, 5 AS v, 1 AS total, 'a' AS u, {'x': 1} AS s, ${DAY}`,
      `SELECT 2 AS id, 6 AS v, 'x' AS total, NULL AS u, ${DAY}`,
      `SELECT 3 AS id, 7 AS v, [1] AS s, DATE '2026-01-01' AS u, ${DAY}`,
    )
    await writeParquet(join(root, 'more/m.parquet'), 'SELECT 1 AS id, 9 AS s, 10 AS u')
    const given = view(
      'SELECT t.id, max(v) AS total, max(m.s) AS u FROM t LEFT JOIN m USING (id) GROUP BY t.id ORDER BY total',
    )
    given.sources.m = { kind: 'static', path: 'more/*.parquet' }
    expect(await rowsOf(root, given)).toEqual([
      { id: '1', total: '5', u: '9' },
      { id: '2', total: '6', u: null },
      { id: '3', total: '7', u: null },
    ])
    expect((await failureOf(root, view('SELECT id, total FROM t'))).message).toContain(
      'data/b.parquet: expected column total to be INTEGER as in data/a.parquet, got: VARCHAR',
    )
  })
})

describe('a column that the SQL reads', () => {
  it('is of the type that holds all of its values', async () => {
    const root = await files(
      `SELECT 1::UINTEGER AS id, 1.5::DECIMAL(10,2) AS d, 0.1::FLOAT AS f, TIMESTAMP_NS '2026-01-01 00:00:00.000001' AS ts, 1::UTINYINT AS n, 4294967295::UINTEGER AS big`,
      `SELECT 2::BIGINT AS id, 2.125::DECIMAL(8,4) AS d, 0.1::DOUBLE AS f, TIMESTAMP '2026-01-02' AS ts, -1::TINYINT AS n, -1::INTEGER AS big`,
      `SELECT 3::SMALLINT AS id, 3::DECIMAL(4,0) AS d, 3::FLOAT AS f, TIMESTAMP_MS '2026-01-03' AS ts, NULL AS n, NULL AS big`,
      `SELECT 'x' AS id, 'y' AS d, 'z' AS ts WHERE false`,
    )
    const given = view(
      'SELECT id, d, f, ts, n, big, typeof(id) AS id_type, typeof(d) AS d_type, typeof(n) AS n_type FROM t',
    )
    const types = { id_type: 'BIGINT', d_type: 'DECIMAL(12,4)', n_type: 'SMALLINT' }
    expect(await rowsOf(root, given)).toEqual([
      {
        id: '1',
        d: '1.5000',
        f: '0.10000000149011612',
        ts: '2026-01-01 00:00:00.000001',
        n: '1',
        big: '4294967295',
        ...types,
      },
      { id: '2', d: '2.1250', f: '0.1', ts: '2026-01-02 00:00:00', n: '-1', big: '-1', ...types },
      { id: '3', d: '3.0000', f: '3.0', ts: '2026-01-03 00:00:00', n: null, big: null, ...types },
    ])
    const never = await files(
      `SELECT 1 AS id, TIMESTAMP_NS '2026-01-01 00:00:00.000001' AS ts`,
      `SELECT 2 AS id, TIMESTAMP '2026-01-02' AS ts UNION ALL SELECT 3, TIMESTAMP '9999-12-31'`,
    )
    expect(await rowsOf(never, view('SELECT id, ts FROM t'))).toEqual([
      { id: '1', ts: '2026-01-01 00:00:00.000001' },
      { id: '2', ts: '2026-01-02 00:00:00' },
    ])
    await writeParquet(
      join(never, 'data/c.parquet'),
      `SELECT 4 AS id, TIMESTAMP_NS '2026-01-01 00:00:00.000000001' AS ts`,
    )
    expect((await failureOf(never, view('SELECT id, ts FROM t'))).message).toContain(
      'data/b.parquet: expected column ts to be TIMESTAMP_NS',
    )
  })

  it('has to be in every file with rows, unless the source calls it optional', async () => {
    const root = await files(
      `SELECT 1 AS id, 2.5 AS amount, ${DAY}`,
      `SELECT 2 AS id, 3.5 AS amount_eur, ${DAY}`,
      `SELECT 3 AS id, 4.5 AS sum, ${DAY}`,
      `SELECT 9 AS id WHERE false`,
    )
    const failure = await failureOf(root, view('SELECT id, amount FROM t'))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toBe(
      'source t: amount is missing in data/b.parquet (did you mean amount_eur?), and in 1 more of its files; data/a.parquet has it. Have the file written again, or say optional: [amount] of the source, to read null there',
    )
    expect(await rowsOf(root, view('SELECT id, amount FROM t', { optional: ['amount'] }))).toEqual([
      { id: '1', amount: '2.5' },
      { id: '2', amount: null },
      { id: '3', amount: null },
    ])
    expect((await failureOf(root, view('SELECT * FROM t'))).message).toContain(
      'amount is missing in data/b.parquet',
    )
    expect(
      await rowsOf(root, view('SELECT id, tip::INTEGER AS tip FROM t WHERE id = 1', { optional: ['tip'] })),
    ).toEqual([{ id: '1', tip: null }])
    const late = await files(
      `SELECT 1 AS id, ${DAY}`,
      `SELECT 2 AS id, 1.5::FLOAT AS tip, TIMESTAMP '2027-01-01' AS ts`,
    )
    expect(
      await rowsOf(late, view('SELECT id, tip, typeof(tip) AS type FROM t', { optional: ['tip'] })),
    ).toEqual([{ id: '1', tip: null, type: 'FLOAT' }])
  })

  it('may have other types over the files of a partition that is looked at for staleness', async () => {
    const root = await files(
      `SELECT 1::UINTEGER AS id, 1.5::FLOAT AS x, ${DAY}`,
      `SELECT 2::BIGINT AS id, NULL AS x, ${DAY}`,
    )
    const given = view('SELECT id, x FROM t')
    const { facts } = await compute(root, given, '2026-11-22')
    const stale = () =>
      findStale({
        root,
        view: makeView(root, given),
        timezone: 'UTC',
        threads: 1,
        partitions: [
          { asOf: parseAsOf('2026-11-22', 'UTC'), viewHash: facts.viewHash, inputs: facts.inputs },
        ],
      })
    expect(facts.inputs.map(({ visible }) => visible?.rows)).toEqual([1, 1])
    await writeParquet(
      join(root, 'data/b.parquet'),
      `SELECT 2::BIGINT AS id, NULL::FLOAT AS x, ${DAY}, 1 AS more`,
    )
    expect(await stale()).toEqual([undefined])
    await writeParquet(join(root, 'data/b.parquet'), `SELECT 3::BIGINT AS id, NULL::FLOAT AS x, ${DAY}`)
    expect(await stale()).toMatchObject([
      { reason: expect.stringContaining('data/b.parquet has changed: 1 rows before the cut') },
    ])
  })
})

describe('a key of the folders', () => {
  const keyed = (sql: string, more = {}): CaseView => view(sql, { path: 'data/*/*.parquet', ...more })

  it('is the text NULL where a folder says so in any letters', async () => {
    const root = makeFolder()
    for (const [index, key] of ['NULL', 'null', 'Null', 'x'].entries())
      await writeParquet(join(root, `data/k=${key}/a.parquet`), `SELECT ${index} AS id, ${DAY}`)
    expect(await rowsOf(root, keyed('SELECT id, k FROM t'))).toEqual([
      { id: '0', k: 'NULL' },
      { id: '1', k: 'null' },
      { id: '2', k: 'Null' },
      { id: '3', k: 'x' },
    ])
  })

  it('is null where Hive says so, and may stand in the file, too, where both say the same', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/region=eu/a.parquet'), `SELECT 1 AS id, 'eu' AS region, ${DAY}`)
    await writeParquet(join(root, 'data/region=us/a.parquet'), `SELECT 2 AS id, 'us' AS region, ${DAY}`)
    await writeParquet(
      join(root, 'data/region=__HIVE_DEFAULT_PARTITION__/a.parquet'),
      `SELECT 3 AS id, NULL::VARCHAR AS region, ${DAY}`,
    )
    expect(await rowsOf(root, keyed('SELECT id, region FROM t'))).toEqual([
      { id: '1', region: 'eu' },
      { id: '2', region: 'us' },
      { id: '3', region: null },
    ])
    await writeParquet(
      join(root, 'data/region=us/b.parquet'),
      `SELECT 4 AS id, NULL::VARCHAR AS region, ${DAY}`,
    )
    expect((await failureOf(root, keyed('SELECT id, region FROM t'))).message).toContain(
      "data/region=us/b.parquet: the folder region=us hides the file's own column region, and they differ",
    )
    expect(await rowsOf(root, keyed('SELECT count(*) AS id FROM t'))).toEqual([{ id: '4' }])
  })

  it('has the type that is declared or was decided, else text unless all are whole numbers or dates', async () => {
    const root = makeFolder()
    const type = async (more = {}, decided = {}) => {
      const given = keyed('SELECT id, month, typeof(month) AS type FROM t', more)
      return compute(root, given, '2026-11-22', {
        view: { ...makeView(root, given), ...decided },
      }).then(({ rows }) => rows.map((row) => `${row.month} ${row.type}`))
    }
    await writeParquet(join(root, 'data/month=9/a.parquet'), `SELECT 1 AS id, ${DAY}`)
    await writeParquet(join(root, 'data/month=10/a.parquet'), `SELECT 2 AS id, ${DAY}`)
    expect(await type()).toEqual(['9 BIGINT', '10 BIGINT'])
    await writeParquet(join(root, 'data/month=09/a.parquet'), `SELECT 3 AS id, ${DAY}`)
    expect(await type()).toEqual(['9 VARCHAR', '10 VARCHAR', '09 VARCHAR'])
    expect(await type({ hive: { month: 'INTEGER' } })).toEqual(['9 INTEGER', '10 INTEGER', '9 INTEGER'])
    await writeParquet(join(root, 'data/month=may/a.parquet'), `SELECT 4 AS id, ${DAY}`)
    await expect(type({ hive: { month: 'INTEGER' } })).rejects.toThrow(
      'data/month=may/a.parquet: expected month= to be a whole number, as hive.month of the source declares it (INTEGER); got: may',
    )
  })

  it('is no date where the calendar has none', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/day=2026-02-30/a.parquet'), `SELECT 1 AS id, ${DAY}`)
    await writeParquet(
      join(root, 'data/day=2026-02-28/a.parquet'),
      `SELECT 2 AS id, DATE '2026-02-28' AS day, ${DAY}`,
    )
    const given = keyed('SELECT id, day FROM t')
    expect(await rowsOf(root, given)).toEqual([
      { id: '1', day: '2026-02-30' },
      { id: '2', day: '2026-02-28' },
    ])
    const declared = keyed('SELECT id, day FROM t', { hive: { day: 'DATE' } })
    expect((await failureOf(root, declared)).message).toContain(
      'data/day=2026-02-30/a.parquet: expected day= to be a date such as 2026-11-21',
    )
  })

  it('is none with a second sign of equality', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/k=a=b/a.parquet'), `SELECT 1 AS id, ${DAY}`)
    expect(await rowsOf(root, keyed('SELECT id FROM t'))).toEqual([{ id: '1' }])
    await writeParquet(join(root, 'data/k=c/a.parquet'), `SELECT 2 AS id, ${DAY}`)
    expect((await failureOf(root, keyed('SELECT id FROM t'))).message).toContain(
      'data/k=c/a.parquet: expected no key=value folders in its path as in data/k=a=b/a.parquet, got: k=...',
    )
  })
})

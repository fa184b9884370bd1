import { copyFileSync, existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { expandGlob } from '../../../src/pipeline/sources/glob.ts'
import { type CaseView, compute, makeFolder, SHARED, writeParquet } from '../feature-case.ts'

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

describe('a path', () => {
  it('finds files, and neither what is hidden nor unfinished', () => {
    const root = makeFolder()
    for (const folder of ['a/b', 'a/.tmp', '_temporary/0']) mkdirSync(join(root, folder), { recursive: true })
    for (const name of [
      'a/1.parquet',
      'a/b/2.parquet',
      'a/.3.parquet',
      'a/.tmp/4.parquet',
      '_temporary/0/5.parquet',
      'a/6.csv',
      '7.parquet',
    ]) {
      writeFileSync(join(root, name), 'x')
    }
    symlinkSync(join(root, '7.parquet'), join(root, 'a/link.parquet'))
    const find = (pattern: string) =>
      expandGlob(root, pattern).files.map(({ path }) => path.slice(root.length + 1))
    expect(find('a/*.parquet')).toEqual(['a/1.parquet', 'a/link.parquet'])
    expect(find('**/*.parquet')).toEqual(['7.parquet', 'a/1.parquet', 'a/b/2.parquet', 'a/link.parquet'])
    expect(find('a/**')).toEqual(['a/1.parquet', 'a/6.csv', 'a/b/2.parquet', 'a/link.parquet'])
    expect(find('a/[0-3].parquet')).toEqual(['a/1.parquet'])
    expect(find('a/{1,6}.{csv,parquet}')).toEqual(['a/1.parquet', 'a/6.csv'])
    expect(find('a/.3.parquet')).toEqual(['a/.3.parquet'])
    expect(find(join(root, 'a/b/?.parquet'))).toEqual(['a/b/2.parquet'])
    expect(find('nowhere/*.parquet')).toEqual([])
  })
})

describe('a source', () => {
  const events = (path: string, more = {}): CaseView['sources'] => ({
    t: { kind: 'events', path, event_time: 'ts', ...more },
  })
  const view = (sources: CaseView['sources'], sql = 'SELECT n AS id, ts FROM t'): CaseView => ({
    sql,
    sources,
  })

  it('without files is late, and says where it looked', async () => {
    const root = makeFolder()
    const failure = await failureOf(compute(root, view(events('data/*.parquet')), '2026-11-22'))
    expect(failure.failureClass).toBe('late-data')
    expect(failure.message).toContain(
      'source t: expected at least one Parquet file at data/*.parquet, got: none',
    )
  })

  it('with a file that was cut off names it', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), `SELECT 1 AS n, TIMESTAMP '2026-01-01' AS ts`)
    copyFileSync(join(root, 'data/a.parquet'), join(root, 'data/b.parquet'))
    truncateSync(join(root, 'data/b.parquet'), 200)
    const failure = await failureOf(compute(root, view(events('data/*.parquet')), '2026-11-22'))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain('data/b.parquet is not a whole Parquet file')
  })

  it('whose files differ in a type names the file, and lets integers and floats widen', async () => {
    const root = makeFolder()
    await writeParquet(
      join(root, 'data/a.parquet'),
      `SELECT 1::INTEGER AS n, 1.5::FLOAT AS x, TIMESTAMP '2026-01-01' AS ts`,
    )
    await writeParquet(
      join(root, 'data/b.parquet'),
      `SELECT TIMESTAMP '2026-01-02' AS ts, 5000000000 AS n, 2.5::DOUBLE AS x, 'new' AS late`,
    )
    const wide = view(
      events('data/*.parquet', { optional: ['late'] }),
      'SELECT n AS id, x, late, typeof(n) AS type FROM t',
    )
    expect((await compute(root, wide, '2026-11-22')).rows).toEqual([
      { id: '1', x: '1.5', late: null, type: 'BIGINT' },
      { id: '5000000000', x: '2.5', late: 'new', type: 'BIGINT' },
    ])
    await writeParquet(
      join(root, 'data/c.parquet'),
      `SELECT '3' AS n, 1.5 AS x, TIMESTAMP '2026-01-03' AS ts`,
    )
    const failure = await failureOf(compute(root, wide, '2026-11-22'))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain('source t: data/c.parquet: expected column n to be BIGINT')
  })

  it('that declares a column which is not there lists those that are', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/a.parquet'), `SELECT 1 AS n, TIMESTAMP '2026-01-01' AS started_at`)
    const missing = await failureOf(
      compute(root, view(events('data/*.parquet', { event_time: 'start_at' })), '2026-11-22'),
    )
    expect(missing.message).toBe(
      'source t: expected event_time to be a column, got: start_at; its columns are: n, started_at; did you mean started_at?',
    )
    const number = await failureOf(
      compute(root, view(events('data/*.parquet', { event_time: 'n' })), '2026-11-22'),
    )
    expect(number.message).toBe('source t: expected event_time to be a TIMESTAMP or a DATE, got: n INTEGER')
    await writeParquet(join(root, 'data/b.parquet'), 'SELECT 1 AS n')
    const partly = await failureOf(
      compute(root, view(events('data/*.parquet', { event_time: 'started_at' })), '2026-11-22'),
    )
    expect(partly.message).toContain('started_at is missing in data/b.parquet')
  })

  it('whose folder says another thing than its column of the same name is refused', async () => {
    const root = makeFolder()
    const path = join(root, 'data/day=2026-01-01/a.parquet')
    const sources: CaseView['sources'] = {
      t: { kind: 'snapshots', path: 'data/*/*.parquet', snapshot_at: 'day' },
    }
    await writeParquet(path, `SELECT 1 AS n, DATE '2026-01-01' AS day`)
    const { rows } = await compute(root, view(sources, 'SELECT n AS id, day FROM t'), '2026-11-22')
    expect(rows).toEqual([{ id: '1', day: '2026-01-01' }])
    await writeParquet(path, `SELECT 1 AS n, DATE '2026-01-02' AS day`)
    const failure = await failureOf(compute(root, view(sources), '2026-11-22'))
    expect(failure.failureClass).toBe('contract')
    expect(failure.message).toContain(
      "data/day=2026-01-01/a.parquet: the folder day=2026-01-01 hides the file's own column day",
    )
    await writeParquet(join(root, 'data/day=today/b.parquet'), 'SELECT 1 AS n')
    await writeParquet(path, 'SELECT 1 AS n')
    expect((await failureOf(compute(root, view(sources), '2026-11-22'))).message).toContain(
      'expected day= to be a date such as 2026-11-21',
    )
  })

  const OLD = join(SHARED, 'parquet/good/alltypes_plain.parquet')
  it.skipIf(!existsSync(OLD))(
    'without statistics is read all the same (skipped where ../shared/data is absent)',
    async () => {
      const root = makeFolder()
      copyFileSync(OLD, join(root, 'a.parquet'))
      const sources = events('a.parquet', { event_time: 'timestamp_col' })
      const sql = 'SELECT id, timestamp_col FROM t WHERE id < 2'
      const { rows, facts } = await compute(root, { sql, sources }, '2026-11-22', {
        timezone: 'Europe/Berlin',
      })
      expect(rows.map(({ timestamp_col }) => timestamp_col)).toEqual([
        '2009-01-01 01:00:00',
        '2009-01-01 01:01:00',
      ])
      expect(facts.inputs[0]?.newest).toBeNull()
    },
  )
})

import { chmodSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { expandGlob } from '../../../src/pipeline/sources/glob.ts'
import { type FoundSource, findSource } from '../../../src/pipeline/sources/sources.ts'
import { type CaseView, compute, duration, makeFolder, writeParquet } from '../feature-case.ts'

const ROW = `SELECT 1 AS n, TIMESTAMP '2026-01-01' AS ts`
const READ_AT = '2026-11-22T02:00:00Z'
const LONG_AGO = new Date('2026-11-21T00:00:00Z')
const JUST_NOW = new Date('2026-11-22T01:58:00Z')

function view(path: string, more = {}): CaseView {
  return { sql: 'SELECT n AS id FROM t', sources: { t: { kind: 'events', path, event_time: 'ts', ...more } } }
}

async function failureOf(root: string, given: CaseView): Promise<Failure> {
  const error: unknown = await compute(root, given, '2026-11-22', { knownAt: READ_AT }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error
}

/** A project with one good file, and beside it what `make` puts at the path. */
async function beside(make: (path: string, root: string) => void, name = 'bad.parquet'): Promise<string> {
  const root = makeFolder()
  await writeParquet(join(root, 'data/good.parquet'), ROW)
  make(join(root, 'data', name), root)
  return root
}

/** What a source finds for a user whom permissions bind: as root, for these synchronous calls, nobody. */
function asNobody(root: string, path: string): Promise<FoundSource> {
  const isRoot = process.geteuid?.() === 0
  chmodSync(root, 0o755)
  if (isRoot) process.seteuid?.(65_534)
  try {
    return findSource(root, 't', { kind: 'static', path, timezone: 'UTC' }, 'UTC')
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

describe('a path that cannot be read', () => {
  it('is named, and late while it may still be being written', async () => {
    const kinds: [string, (path: string, root: string) => void][] = [
      ['is empty: it has 0 bytes', (path) => writeFileSync(path, '')],
      ['is not a whole Parquet file', (path) => writeFileSync(path, 'PAR1 and then it was killed')],
      ['is a folder', (path) => mkdirSync(path)],
    ]
    for (const [words, make] of kinds) {
      const root = await beside(make)
      utimesSync(join(root, 'data/bad.parquet'), LONG_AGO, LONG_AGO)
      const old = await failureOf(root, view('data/*.parquet'))
      expect([old.failureClass, old.message]).toEqual([
        'contract',
        expect.stringContaining(`source t: data/bad.parquet ${words}`),
      ])
      utimesSync(join(root, 'data/bad.parquet'), JUST_NOW, JUST_NOW)
      const young = await failureOf(root, view('data/*.parquet'))
      expect(young.failureClass).toBe('late-data')
      expect(young.message).toContain('it has changed within settle (5m)')
      const settled = await failureOf(root, view('data/*.parquet', { settle: duration('1m') }))
      expect(settled.failureClass).toBe('contract')
    }
  })

  it('may be a link to nothing, or to itself, and a folder that is one', async () => {
    const nowhere = await beside((path) => symlinkSync('/nowhere/x.parquet', path))
    expect((await failureOf(nowhere, view('data/*.parquet'))).message).toContain(
      'data/bad.parquet is a link to something that is not there',
    )
    const loop = await beside((path) => symlinkSync(path, path))
    expect((await failureOf(loop, view('data/*.parquet'))).message).toContain(
      'data/bad.parquet is a link that leads back to itself',
    )
    for (const glob of ['data/*/*.parquet', 'data/**/*.parquet']) {
      const day = await beside((path) => symlinkSync('/nowhere/day', path), 'date=2026-01-02')
      expect((await failureOf(day, view(glob))).message).toContain(
        'data/date=2026-01-02 is a link to something that is not there',
      )
    }
  })

  it('is an error where the user has no permission', async () => {
    const file = await beside((path) => writeFileSync(path, 'x', { mode: 0o000 }))
    expect((await asNobody(file, 'data/*.parquet')).unreadable).toMatchObject([
      { shown: 'data/bad.parquet', why: expect.stringContaining('may not be read by the user') },
    ])
    for (const glob of ['data/*/*.parquet', 'data/**/*.parquet']) {
      const folder = await beside((path) => mkdirSync(path, { mode: 0o000 }), 'date=2026-01-02')
      expect((await asNobody(folder, glob)).unreadable).toMatchObject([
        {
          shown: 'data/date=2026-01-02',
          keys: new Map([['date', '2026-01-02']]),
          why: expect.stringContaining('may not be read by the user'),
        },
      ])
      chmodSync(join(folder, 'data/date=2026-01-02'), 0o700)
    }
  })

  it('does not matter where its folder says that its rows lie behind the cut, or in an older snapshot', async () => {
    const root = makeFolder()
    const days = view('data/*/*.parquet', { event_time: 'day' })
    const snapshots: CaseView = {
      sql: 'SELECT n AS id FROM t',
      sources: { t: { kind: 'snapshots', path: 'data/*/*.parquet', snapshot_at: 'day' } },
    }
    await writeParquet(join(root, 'data/day=2026-11-20/a.parquet'), 'SELECT 1 AS n')
    for (const day of ['2026-11-19', '2026-11-23', '__HIVE_DEFAULT_PARTITION__']) {
      mkdirSync(join(root, `data/day=${day}`))
      writeFileSync(join(root, `data/day=${day}/a.parquet`), '')
    }
    expect((await compute(root, snapshots, '2026-11-22', { knownAt: READ_AT })).rows).toEqual([{ id: '1' }])
    expect((await failureOf(root, days)).message).toContain('data/day=2026-11-19/a.parquet is empty')
    rmSync(join(root, 'data/day=2026-11-19'), { recursive: true })
    expect((await compute(root, days, '2026-11-22', { knownAt: READ_AT })).rows).toEqual([{ id: '1' }])
    mkdirSync(join(root, 'data/day=2026-11-21'))
    writeFileSync(join(root, 'data/day=2026-11-21/a.parquet'), '')
    expect((await failureOf(root, snapshots)).message).toContain('data/day=2026-11-21/a.parquet is empty')
  })

  it('of another format is named as such, with the line that converts it', async () => {
    const csv = await beside((path) => writeFileSync(path, 'n;ts\n1;2026-01-01\n'))
    const said = await failureOf(csv, view('data/*.parquet'))
    expect(said.failureClass).toBe('contract')
    expect(said.message).toContain(
      `data/bad.parquet is a CSV file, and the source's files are Parquet. Say format: csv of the source; or convert it with this line of DuckDB: COPY (FROM read_csv('data/bad.parquet')) TO 'data/bad.converted.parquet' (FORMAT parquet)`,
    )
    const json = await beside((path) => writeFileSync(path, '\n{"n": 1, "ts": "2026-01-01"}\n'))
    expect((await failureOf(json, view('data/*'))).message).toContain(
      `COPY (FROM read_json('data/bad.parquet'))`,
    )
    const named = await beside(
      (path) => writeFileSync(path, Buffer.from([0x1f, 0x8b, 8, 0, 1])),
      'bad.csv.gz',
    )
    expect((await failureOf(named, view('data/*'))).message).toContain(
      `COPY (FROM read_csv('data/bad.csv.gz')) TO 'data/bad.parquet' (FORMAT parquet)`,
    )
    const other = await beside((path) => {
      writeFileSync(path, Buffer.alloc(100, 7))
      truncateSync(path, 50)
    })
    expect((await failureOf(other, view('data/*.parquet'))).message).toContain('is not a whole Parquet file')
  })
})

describe('a folder', () => {
  it('is no fault where what the path names lies within it, or where the path names all that is there', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/spark.parquet/part-0.parquet'), ROW)
    writeFileSync(join(root, 'data/spark.parquet/_SUCCESS'), '')
    mkdirSync(join(root, 'data/old'))
    writeFileSync(join(root, 'data/old/_SUCCESS'), '')
    const shown = (pattern: string) => {
      const { files, unreadable } = expandGlob(root, pattern)
      return [files, unreadable].map((paths) => paths.map(({ path }) => path.slice(root.length + 1)))
    }
    expect(shown('data/**/*.parquet')).toEqual([['data/spark.parquet/part-0.parquet'], []])
    expect(shown('data/**')).toEqual([['data/spark.parquet/part-0.parquet'], []])
    expect(shown('data/*')).toEqual([[], ['data/spark.parquet']])
    expect(shown('data/*.parquet')).toEqual([[], ['data/spark.parquet']])
  })
})

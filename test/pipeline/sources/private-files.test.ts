import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { featureCut, LAST } from '../../../src/pipeline/cut/cut.ts'
import { openFeatureQuery } from '../../../src/pipeline/features/feature-query.ts'
import { openPrivately } from '../../../src/pipeline/sources/private-files.ts'
import { cutSources, readablePaths } from '../../../src/pipeline/sources/source-tables.ts'
import { bindPlan } from '../../../src/pipeline/sql/bound-plan.ts'
import { strangersIn } from '../../../src/pipeline/sql/opened-files.ts'
import { compute, makeFolder, makeView, writeParquet } from '../feature-case.ts'

const events = { ev: { kind: 'events', path: 'data/**/*.parquet', event_time: 'at' } } as const
const shm = '/dev/shm'
const otherDisk = existsSync(shm) && statSync(shm).dev !== statSync(tmpdir()).dev
const cut = featureCut(LAST, LAST.instant, 'UTC')

async function makeProject(): Promise<string> {
  const root = makeFolder()
  for (const [place, id] of [
    ['month=2026-10/region=north sea', 1],
    ['month=2026-11/region=south', 2],
  ])
    await writeParquet(
      join(root, `data/${place}/d.parquet`),
      `SELECT ${id} AS id, TIMESTAMP '2026-11-01' AS at`,
    )
  return root
}

describe('the files of a query', () => {
  it('have random names that no SQL can guess, and errors say their own', async () => {
    const root = await makeProject()
    const view = makeView(root, { sql: 'SELECT id, month, region FROM ev', sources: events })
    const temp = makeFolder()
    const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
    try {
      expect(await query.engine.rows(`${query.sql} ORDER BY id`)).toMatchObject([
        { id: 1, month: '2026-10', region: 'north sea' },
        { id: 2, month: '2026-11', region: 'south' },
      ])
      const raw = join(root, 'data/month=2026-11/region=south/d.parquet')
      for (const name of [raw, join(root, 'data/**/*.parquet')])
        await expect(query.engine.rows(`SELECT * FROM '${name}'`), name).rejects.toThrow(/Permission/)
      const opened = query.sources[0]?.files[1]?.opened ?? ''
      expect(opened.startsWith(temp)).toBe(true)
      await expect(query.engine.rows(`SELECT no FROM '${opened}'`)).rejects.toThrow(/no/)
      await expect(
        query.engine.rows(`SELECT * FROM read_csv('${opened}', columns = {a: 'INT'})`),
      ).rejects.toThrow(raw)
    } finally {
      query.close()
    }
    await vi.waitFor(() => expect(readdirSync(temp)).toEqual([]), 60_000)
    expect(existsSync(join(root, 'data/month=2026-11/region=south/d.parquet'))).toBe(true)
  })

  it('lie in folders of keys only where the query may read a key', async () => {
    const root = await makeProject()
    const sources = { ...events, all: { kind: 'static', path: 'data/**/*.parquet' } } as const
    for (const [sql, folders] of [
      ['SELECT id, "at" FROM ev', false],
      ['SELECT id, Month FROM ev', true],
      ['SELECT e.id, e.month FROM ev e JOIN "all" USING (id, region)', true],
      ['SELECT id FROM ev NATURAL JOIN "all"', true],
      ['SELECT * FROM ev', true],
      ['FROM ev', true],
      ['SELECT count(*) AS n FROM "all"', true],
      ['SELECT count(id) AS id FROM (SELECT id FROM ev)', false],
      ["SELECT id, COLUMNS(c -> starts_with(c, 'mon')) FROM ev", true],
    ] as const) {
      const temp = makeFolder()
      const view = makeView(root, { sql, sources })
      const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
      try {
        const opened = query.sources[0]?.files.map((file) => file.opened) ?? []
        expect(
          opened.every((path) => path.includes('/month=')),
          sql,
        ).toBe(folders)
        expect(await query.engine.rows(query.sql), sql).not.toEqual([])
      } finally {
        query.close()
      }
    }
  })

  it('are linked once, however many sources read them, and unlinked where one cannot be opened', async () => {
    const root = await makeProject()
    const view = makeView(root, { sql: '', sources: { ...events, again: events.ev } })
    const temp = makeFolder()
    const found = await cutSources(root, view, cut)
    const { names, sources, release } = openPrivately(found, temp)
    expect(names.size).toBe(2)
    expect(new Set(sources.flatMap(({ files }) => files.map(({ opened }) => opened))).size).toBe(2)
    for (const [opened, path] of names) expect(statSync(opened).ino).toBe(statSync(path).ino)
    release()
    await vi.waitFor(() => expect(readdirSync(temp)).toEqual([]), 60_000)
  })

  it.skipIf(!otherDisk)('are read through symbolic links where hard links are not to be had', async () => {
    const root = await makeProject()
    const view = makeView(root, { sql: 'SELECT id FROM ev', sources: events })
    const temp = join(shm, `nightshift-test-${process.pid}`)
    mkdirSync(temp)
    try {
      const found = await cutSources(root, view, cut)
      const { names, release } = openPrivately(found, temp)
      for (const [opened, path] of names) expect(statSync(opened).ino).toBe(statSync(path).ino)
      release()
      const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
      expect(await query.engine.rows(`${query.sql} ORDER BY id`)).toEqual([{ id: 1 }, { id: 2 }])
      query.close()
      await vi.waitFor(() => expect(readdirSync(temp)).toEqual([]), 60_000)
    } finally {
      rmSync(temp, { recursive: true })
    }
  })

  it('are closed under their own names also where the source names them by a symbolic link', async () => {
    const root = await makeProject()
    const raw = join(root, 'data/month=2026-10/region=north sea/d.parquet')
    mkdirSync(join(root, 'more'))
    symlinkSync(raw, join(root, 'more/a.parquet'))
    const view = makeView(root, {
      sql: 'SELECT id FROM ev',
      sources: { ev: { ...events.ev, path: 'more/*.parquet' } },
    })
    const temp = makeFolder()
    const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
    try {
      expect(await query.engine.rows(query.sql)).toEqual([{ id: 1 }])
      for (const name of [raw, join(root, 'more/a.parquet')])
        await expect(query.engine.rows(`SELECT * FROM '${name}'`), name).rejects.toThrow(/Permission/)
    } finally {
      query.close()
    }
  })

  it.skipIf(!otherDisk)(
    'are all that a plan opens, also where symbolic links leave the others readable',
    async () => {
      const root = await makeProject()
      const view = makeView(root, { sql: 'SELECT id, month FROM ev', sources: events })
      const temp = join(shm, `nightshift-test-plan-${process.pid}`)
      mkdirSync(temp)
      const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
      try {
        const files = new Set(readablePaths(query.sources))
        const strangers = async (sql: string) => {
          const plan = await bindPlan(query.engine, sql, {}, [])
          if (plan === undefined) throw new Error(`does not bind: ${sql}`)
          return strangersIn(plan, files)
        }
        const raw = join(root, 'data/month=2026-11/region=south/d.parquet')
        expect(await query.engine.rows(`SELECT count(*) AS n FROM '${raw}'`)).toEqual([{ n: 1n }])
        for (const sql of [
          `SELECT * FROM '${raw}'`,
          `SELECT id FROM ev WHERE id IN (SELECT id FROM read_parquet(['${raw}']))`,
          `SELECT (SELECT max(id) FROM '${raw}' r WHERE r.id > ev.id) FROM ev`,
          `WITH x AS MATERIALIZED (SELECT * FROM parquet_scan('${raw}')) SELECT * FROM x, ev`,
          `SELECT * FROM ev, LATERAL (SELECT * FROM '${raw}' r WHERE r.id = ev.id)`,
        ])
          expect(await strangers(sql), sql).toEqual([raw])
        for (const [sql, name] of [
          [`SELECT size FROM read_text('${raw}')`, 'read_text'],
          ['SELECT name FROM duckdb_settings()', 'duckdb_settings'],
          [`SELECT path_in_schema FROM parquet_metadata('${raw}')`, 'parquet_metadata'],
        ])
          expect(await strangers(sql ?? ''), sql).toEqual([name])
        for (const sql of [
          query.sql,
          'SELECT * FROM ev a JOIN ev b USING (id)',
          'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r, ev, range(3), unnest([1]) u',
        ])
          expect(await strangers(sql), sql).toEqual([])
        // As nights ask: of empty tables in the place of the sources, for which no file of theirs is opened.
        const standIn = [{ name: 'other', columns: [{ name: 'id', type: 'INTEGER' }] }]
        const early = await bindPlan(
          query.engine,
          `SELECT * FROM other JOIN '${raw}' USING (id)`,
          {},
          standIn,
        )
        const own = await bindPlan(query.engine, 'SELECT * FROM other, range(3)', {}, standIn)
        expect([early, own].map((plan) => plan && strangersIn(plan))).toEqual([[raw], []])
      } finally {
        query.close()
        rmSync(temp, { recursive: true })
      }
    },
  )

  it('are the ones that a symbolic link of the source leads to, and a broken one is named by its own path', async () => {
    const root = await makeProject()
    mkdirSync(join(root, 'more'))
    symlinkSync(join(root, 'data/month=2026-10/region=north sea/d.parquet'), join(root, 'more/a.parquet'))
    const view = { sql: 'SELECT id FROM ev', sources: { ev: { ...events.ev, path: 'more/*.parquet' } } }
    expect((await compute(root, view, '2026-11-22')).rows).toEqual([{ id: '1' }])
    writeFileSync(join(root, 'more/b.parquet'), 'PAR1 is not all of it')
    await expect(compute(root, view, '2026-11-22')).rejects.toThrow('more/b.parquet')
  })
})

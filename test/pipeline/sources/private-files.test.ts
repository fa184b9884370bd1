import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { featureCut, LAST } from '../../../src/pipeline/cut/cut.ts'
import { openFeatureQuery } from '../../../src/pipeline/features/feature-query.ts'
import { openPrivately } from '../../../src/pipeline/sources/private-files.ts'
import { cutSources } from '../../../src/pipeline/sources/source-tables.ts'
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
    expect(readdirSync(temp)).toEqual([])
    expect(existsSync(join(root, 'data/month=2026-11/region=south/d.parquet'))).toBe(true)
  })

  it('are linked once, however many sources read them, and unlinked where one cannot be opened', async () => {
    const root = await makeProject()
    const view = makeView(root, { sql: '', sources: { ...events, again: events.ev } })
    const temp = makeFolder()
    const found = cutSources(root, view, cut)
    const { names, sources, release } = openPrivately(found, temp)
    expect(names.size).toBe(2)
    expect(new Set(sources.flatMap(({ files }) => files.map(({ opened }) => opened))).size).toBe(2)
    for (const [opened, path] of names) expect(statSync(opened).ino).toBe(statSync(path).ino)
    release()
    expect(readdirSync(temp)).toEqual([])
  })

  it.skipIf(!otherDisk)('are read through symbolic links where hard links are not to be had', async () => {
    const root = await makeProject()
    const view = makeView(root, { sql: 'SELECT id FROM ev', sources: events })
    const temp = join(shm, `nightshift-test-${process.pid}`)
    mkdirSync(temp)
    try {
      const found = cutSources(root, view, cut)
      const { names, release } = openPrivately(found, temp)
      for (const [opened, path] of names) expect(statSync(opened).ino).toBe(statSync(path).ino)
      release()
      const query = await openFeatureQuery({ root, view, asOf: LAST, cut, writable: temp, temp, threads: 1 })
      expect(await query.engine.rows(`${query.sql} ORDER BY id`)).toEqual([{ id: 1 }, { id: 2 }])
      query.close()
      expect(readdirSync(temp)).toEqual([])
    } finally {
      rmSync(temp, { recursive: true })
    }
  })

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

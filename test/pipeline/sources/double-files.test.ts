import { copyFileSync, linkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Source } from '../../../src/project/project.ts'
import { compute, makeFolder, writeParquet } from '../feature-case.ts'

const SQL = 'SELECT id, count(*) AS n FROM t GROUP BY id'

/** One file of one row in `data/2026`, and what links there are beside it. */
async function makeProject(links: [target: string, link: string][]): Promise<string> {
  const root = makeFolder()
  await writeParquet(join(root, 'data/2026/a.parquet'), "SELECT 1 AS id, TIMESTAMP '2026-11-01' AS ts")
  await writeParquet(join(root, 'kept/b.parquet'), "SELECT 2 AS id, TIMESTAMP '2026-11-01' AS ts")
  for (const [target, link] of links) symlinkSync(join(root, target), join(root, link))
  return root
}

const events = (path: string): Source => ({ kind: 'events', path, event_time: 'ts' })
const night = (root: string, t: Source, sql = SQL) => compute(root, { sql, sources: { t } }, '2026-11-22')

describe('a file that a path names twice', () => {
  it.each<[string, [string, string][], string, string[]]>([
    [
      'by a folder and a link to it',
      [['data/2026', 'data/latest']],
      'data/**/*.parquet',
      ['data/latest/a', '2026/a'],
    ],
    [
      'by a folder and a link to it, one level down',
      [['data/2026', 'data/latest']],
      'data/*/*.parquet',
      ['data/latest/a', 'data/2026/a'],
    ],
    [
      'by two links to a folder elsewhere',
      [
        ['kept', 'data/one'],
        ['kept', 'data/two'],
      ],
      'data/**/*.parquet',
      ['data/two/b', 'data/one/b'],
    ],
    [
      'by a link to a link',
      [
        ['kept', 'data/one'],
        ['data/one', 'data/two'],
      ],
      'data/**',
      ['data/two/b', 'data/one/b'],
    ],
    [
      'by a file and a link to it',
      [['data/2026/a.parquet', 'data/2026/z.parquet']],
      'data/2026/*.parquet',
      ['2026/z', '2026/a'],
    ],
    ['by a choice of folders', [['data/2026', 'now']], '{data/2026,now}/*.parquet', ['now/a', 'data/2026/a']],
  ])('is refused: %s', async (_, links, path, named) => {
    const root = await makeProject(links)
    const night = compute(root, { sql: SQL, sources: { t: events(path) } }, '2026-11-22')
    await expect(night).rejects.toMatchObject({ failureClass: 'contract' })
    for (const words of [...named, 'its rows would count twice: remove the link'])
      await expect(night).rejects.toThrow(words)
  })

  it('is refused of a history and of a static table too, and where the keys of the folders differ', async () => {
    const root = await makeProject([])
    await writeParquet(join(root, 'eu/region=eu/a.parquet'), "SELECT 1 AS id, TIMESTAMP '2026-11-01' AS ts")
    symlinkSync(join(root, 'eu/region=eu'), join(root, 'eu/region=europe'))
    const path = 'eu/*/*.parquet'
    for (const source of [
      events(path),
      { kind: 'static', path },
      { kind: 'history', path, key: ['id'], valid_from: 'ts' },
    ] satisfies Source[])
      await expect(night(root, source), source.kind).rejects.toThrow(
        'source t: eu/region=europe/a.parquet: is eu/region=eu/a.parquet once more, by a link',
      )
  })

  it('is no matter where each of two snapshots is a link to the same rows', async () => {
    const root = makeFolder()
    await writeParquet(join(root, 'data/day=2026-11-20/a.parquet'), 'SELECT 1 AS id')
    symlinkSync(join(root, 'data/day=2026-11-20'), join(root, 'data/day=2026-11-21'))
    const source: Source = { kind: 'snapshots', path: 'data/*/*.parquet', snapshot_at: 'day' }
    expect((await night(root, source)).rows).toEqual([{ id: '1', n: '1' }])
    symlinkSync(join(root, 'data/day=2026-11-20/a.parquet'), join(root, 'data/day=2026-11-20/b.parquet'))
    await expect(night(root, source)).rejects.toThrow('its rows would count twice')
  })

  it('counts twice by a hard link and by a copy, which are files of their own', async () => {
    const root = await makeProject([])
    linkSync(join(root, 'data/2026/a.parquet'), join(root, 'data/2026/b.parquet'))
    copyFileSync(join(root, 'data/2026/a.parquet'), join(root, 'data/2026/c.parquet'))
    expect((await night(root, events('data/**/*.parquet'))).rows).toEqual([{ id: '1', n: '3' }])
  })

  it('is read once where only one of its names fits the path', async () => {
    const root = await makeProject([
      ['data/2026', 'latest'],
      ['kept', 'data/kept'],
    ])
    expect((await night(root, events('latest/*.parquet'))).rows).toEqual([{ id: '1', n: '1' }])
    expect((await night(root, events('data/*/*.parquet'))).rows).toHaveLength(2)
  })
})

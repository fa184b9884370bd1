import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listServers } from '../../../src/ledger/server/list-servers.ts'
import { removeServerFolder } from '../../../src/ledger/server/remove-server.ts'

let shared: string
beforeEach(() => {
  shared = mkdtempSync(join(tmpdir(), 'nightshift-shared-'))
})
afterEach(() => rmSync(shared, { recursive: true, force: true }))

function server(name: string, project: string | undefined): string {
  const folder = join(shared, name)
  mkdirSync(join(folder, 'cluster/data'), { recursive: true })
  writeFileSync(join(folder, 'cluster/data/base'), 'x'.repeat(1000))
  if (project !== undefined) writeFileSync(join(folder, 'project'), `${project}\n`)
  return folder
}

function projectOf(name: string, folder: string): string {
  const project = join(shared, name)
  mkdirSync(join(project, '.nightshift/postgres'), { recursive: true })
  writeFileSync(join(project, '.nightshift/postgres/place.json'), JSON.stringify({ root: project, folder }))
  return project
}

test('ledgers whose project is gone, has another one, or is not named come first; other folders are none', async () => {
  mkdirSync(join(shared, 'programs-linux-x64-18.1.0'))
  const kept = server('aaaaaaaaaaaaaaaa', join(shared, 'shop'))
  projectOf('shop', kept)
  server('bbbbbbbbbbbbbbbb', join(shared, 'removed'))
  server('cccccccccccccccc', projectOf('cloned', join(shared, 'another')))
  server('dddddddddddddddd', undefined)
  const found = listServers([shared, join(shared, 'none')])
  expect(found.map(({ name, state }) => [name[0], state])).toEqual([
    ['b', 'gone'],
    ['c', 'gone'],
    ['d', 'gone'],
    ['a', 'stopped'],
  ])
  expect(found[0]).toMatchObject({ project: join(shared, 'removed'), folder: join(shared, 'b'.repeat(16)) })
  expect(found[0]?.bytes).toBeGreaterThanOrEqual(1000)
  const [first] = found
  if (first !== undefined) await removeServerFolder(first.folder)
  expect([existsSync(join(shared, 'b'.repeat(16))), existsSync(kept)]).toEqual([false, true])
})

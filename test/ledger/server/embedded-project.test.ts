import { chmodSync, chownSync, cpSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chooseLocation } from '../../../src/ledger/server/server-place.ts'
import { command, isRoot, open, outcome, project, remember, remembered, serverIsGone } from './server-case.ts'

describe('a project', () => {
  test('in the place of a deleted one does not meet its ledger', async () => {
    const root = project()
    const before = await open(root)
    await before.pool.query(remember('of the deleted one'))
    await before.close()
    const old = chooseLocation(root).folder
    await serverIsGone(root)
    rmSync(root, { recursive: true })
    mkdirSync(root)
    const after = await open(root)
    expect(await remembered(after)).toEqual([])
    await after.close()
    await serverIsGone(root)
    if (isRoot) rmSync(old, { recursive: true })
  })

  test('that was moved keeps its ledger, and a copy of it gets its own', async () => {
    const root = project()
    const database = await open(root)
    await database.pool.query(remember('original'))
    const copied = project()
    cpSync(root, copied, { recursive: true })
    if (!isRoot) rmSync(join(copied, '.nightshift'), { recursive: true })
    const copy = await open(copied)
    expect(copy.url).not.toBe(database.url)
    expect(await remembered(copy)).toEqual([])
    await Promise.all([database.close(), copy.close()])
    await serverIsGone(root)
    const moved = project()
    rmSync(moved, { recursive: true })
    renameSync(root, moved)
    expect(await remembered(await open(moved))).toEqual(['original'])
  })

  test.skipIf(!isRoot)('under the home of root works', async () => {
    const database = await open(project(homedir()))
    expect(await remembered(database)).toEqual([])
  })
})

describe.skipIf(!isRoot || !readableForAll())(
  'a plain user (needs root, and a checkout that others can read)',
  () => {
    const nobody = { uid: 65534, gid: 65534 }

    test('has the server in the project, and root uses the same one', async () => {
      const root = project()
      chownSync(root, nobody.uid, nobody.gid)
      const mine = await outcome(
        command(root, `await database.pool.query("${remember('by nobody')}"); console.log('ok')`, nobody),
      )
      expect(mine).toEqual({ code: 0, out: 'ok', err: '' })
      expect(statSync(join(root, '.nightshift/postgres/cluster/data')).uid).toBe(nobody.uid)
      await serverIsGone(root)
      const database = await open(root)
      expect(await remembered(database)).toEqual(['by nobody'])
      const both = await outcome(
        command(root, "console.log((await database.pool.query('select 1 as one')).rows[0].one)", nobody),
      )
      expect(both.out).toBe('1')
    })

    test('is told why when the database is that of root', async () => {
      const root = project()
      const database = await open(root)
      await database.close()
      chownSync(root, nobody.uid, nobody.gid)
      for (const mode of [0o700, 0o777]) {
        chmodSync(join(root, '.nightshift'), mode)
        chmodSync(join(root, '.nightshift/postgres'), mode)
        const { code, err } = await outcome(command(root, '', nobody))
        expect(code).not.toBe(0)
        expect(err).toContain('was created by root')
        expect(err).toContain('DATABASE_URL')
      }
    })
  },
)

/** Whether anybody may read the bundled program: a checkout under root's home cannot be tried as another user. */
function readableForAll(): boolean {
  let folder = resolve('dist')
  for (;;) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false
    const parent = resolve(folder, '..')
    if (parent === folder) return true
    folder = parent
  }
}

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { nightshift } from './nightshift.ts'

let fresh: FreshDatabase
let project: TemporaryProject
beforeAll(async () => {
  fresh = await freshDatabase()
  project = await generatedProject()
})
afterAll(async () => {
  await project.remove()
  await fresh.drop()
})

const whole = () => join(project.root, '.nightshift/read-project')
const known = () => join(project.root, '.nightshift/read-files')
const command = (...args: string[]) =>
  nightshift(args, { project: project.root, env: { DATABASE_URL: fresh.url } })

test('what a command has read is known to the next, and an edit is seen at once', async () => {
  // The first makes the folder, the second keeps what it reads.
  for (let time = 0; time < 2; time++) expect((await command('backfills')).code).toBe(0)
  expect(statSync(known()).mode & 0o777).toBe(0o600)
  const yaml = 'models/value/model.yaml'
  const before = readFileSync(join(project.root, yaml), 'utf8')
  await project.write(yaml, `${before}nonsense: 1\n`)
  const { code, stderr } = await command('backfills')
  expect(code).toBe(2)
  expect(stderr).toMatch(/model\.yaml:\d+:1 +error +unknown key nonsense/)
  await project.write(yaml, before)
  expect((await command('backfills')).code).toBe(0)
})

test('what a rule over several files finds has its line, in a file that is known too', async () => {
  const yaml = 'schedules/twice.yaml'
  await project.write(yaml, 'schedule: twice\ncron: "0 2,14 * * *"\nscore: [value]\n')
  const [first, second] = [await command('backfills'), await command('backfills')]
  expect(first.code).toBe(2)
  expect(first.stderr).toMatch(/schedules\/twice\.yaml:2:7 +error +cron .* ticks twice/)
  expect(second.stderr).toBe(first.stderr)
  rmSync(join(project.root, yaml))
})

test('what is kept may be anything: the files themselves are read then', async () => {
  for (const broken of ['', 'not what was written', '\u0000\u0001']) {
    for (const path of [known(), whole()]) writeFileSync(path, broken)
    expect((await command('backfills')).code).toBe(0)
    expect(existsSync(known())).toBe(true)
    expect(readFileSync(whole()).length).toBeGreaterThan(1000)
  }
})

const CHANGES = [
  {
    path: 'features/activity/features.sql',
    to: 'features/activity/others.sql',
    refusal: 'features.sql is missing',
  },
  { path: 'features/activity/view.yaml', to: 'features/activity/views.yaml', refusal: 'has no view.yaml' },
  { path: 'features/activity', to: 'features/active', refusal: 'activity' },
  { path: 'nightshift.yaml', to: 'nightshift.yml', refusal: 'rename nightshift.yml' },
]

test('a project that is known is the one that was read; any change of its files is seen', async () => {
  const view = 'features/activity/features.sql'
  const before = readFileSync(join(project.root, view), 'utf8')
  await command('backfills')
  const kept = readFileSync(whole())
  await project.write(view, `${before}\n-- another text\n`)
  await command('backfills')
  expect(readFileSync(whole())).not.toEqual(kept)
  await project.write(view, before)
  for (const change of CHANGES) {
    const { path, to, refusal } = change
    await rename(join(project.root, path), join(project.root, to))
    const { code, stderr } = await command('backfills')
    expect(code, path).toBe(2)
    expect(stderr).toContain(refusal)
    await rename(join(project.root, to), join(project.root, path))
    expect((await command('backfills')).code, path).toBe(0)
  }
})

test('a folder or file that has become a link out of the project is refused, whatever it holds', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  for (const path of ['features', 'features/activity', 'features/activity/features.sql', 'nightshift.yaml']) {
    const moved = join(outside, 'moved')
    cpSync(join(project.root, path), moved, { recursive: true })
    await rename(join(project.root, path), join(outside, 'before'))
    symlinkSync(moved, join(project.root, path))
    const { code, stderr } = await command('backfills')
    expect(code, path).toBe(2)
    expect(stderr).toContain('leads out of it')
    rmSync(join(project.root, path))
    await rename(join(outside, 'before'), join(project.root, path))
    rmSync(moved, { recursive: true })
  }
  rmSync(outside, { recursive: true })
  expect((await command('backfills')).code).toBe(0)
})

import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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
    writeFileSync(known(), broken)
    expect((await command('backfills')).code).toBe(0)
    expect(existsSync(known())).toBe(true)
  }
})

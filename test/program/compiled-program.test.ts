import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort } from '../alerts/mail-server.ts'
import { ended, start } from '../cli/nightshift.ts'
import { freshDatabase } from '../database/fresh.ts'
import { generatedProject } from '../projects/generated.ts'

const ROOT = resolve(import.meta.dirname, '../..')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  for (const name of ['dist/cli.js', 'dist/cli', 'dist/chunks', 'package.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const code = () => join(folder, 'dist/.code')
const kept = () => (existsSync(code()) ? readdirSync(code()) : [])

function nightshift(args: string[], node: string[] = []) {
  const { NODE_OPTIONS: _, ...env } = process.env
  return spawnSync(process.execPath, [...node, join(folder, 'dist/cli.js'), ...args], {
    encoding: 'utf8',
    env,
  })
}

test('the code of a command is kept for the next process, which does the same with it', () => {
  const first = nightshift(['--help'])
  const [name = ''] = kept()
  expect(name).toMatch(/^help-v\d+\.\d+\.\d+-\w+-[A-Z0-9]+$/)
  const written = readFileSync(join(code(), name))
  expect(nightshift(['--help'])).toMatchObject({ status: 0, stdout: first.stdout, stderr: '' })
  expect(readFileSync(join(code(), name))).toEqual(written)
})

const DAMAGES: Record<string, (bytes: Buffer) => Buffer> = {
  'no bytes': () => Buffer.alloc(0),
  'half of it': (bytes) => bytes.subarray(0, bytes.length / 2),
  'other bytes': (bytes) => Buffer.from(bytes).fill(7, 100, 1000),
  zeros: (bytes) => Buffer.alloc(bytes.length),
}

test('what is not ASCII comes out as it was written', async () => {
  const database = await freshDatabase()
  const project = await generatedProject()
  const port = await freePort()
  const pages = start(['web', '--port', String(port)], {
    project: project.root,
    env: { DATABASE_URL: database.url },
  })
  const gone = ended(pages)
  try {
    const page = await vi.waitFor(
      async () => (await fetch(`http://127.0.0.1:${port}/incidents`)).text(),
      30_000,
    )
    expect(page).toContain('<title>Incidents · Nightshift</title>')
  } finally {
    pages.kill('SIGTERM')
    await gone
    await project.remove()
    await database.drop()
  }
})

test('kept code that is damaged is not used, and written again', () => {
  nightshift(['--version'])
  const [name = ''] = kept().filter((each) => each.startsWith('version'))
  for (const [damage, done] of Object.entries(DAMAGES)) {
    const path = join(code(), name)
    const whole = readFileSync(path)
    writeFileSync(path, done(whole))
    expect(nightshift(['--version']), damage).toMatchObject({ status: 0, stdout: '0.1.0\n', stderr: '' })
    expect(readFileSync(path).length, damage).toBeGreaterThan(whole.length / 2)
  }
})

test('a call that is not legal, and a Node with options, keep nothing', () => {
  const before = kept()
  expect(nightshift(['stauts']).status).toBe(2)
  expect(nightshift(['runs', '--nothing']).status).toBe(2)
  expect(nightshift(['help'], ['--no-opt']).status).toBe(0)
  expect(kept()).toEqual(before)
})

test('a stack trace names the sources', () => {
  const { stderr } = nightshift(['runs', '--debug', '--project', join(folder, 'nothing')])
  expect(stderr).toContain('src/project/files/')
})

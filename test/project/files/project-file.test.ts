import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadProject } from '../../../src/project/files/load-project.ts'
import { readProjectFile } from '../../../src/project/files/project-file.ts'

let folder: string
let root: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-file-'))
  root = join(folder, 'project')
  cpSync(resolve(import.meta.dirname, '../../cases/as-designed'), root, { recursive: true })
  mkdirSync(join(folder, 'elsewhere'))
  writeFileSync(join(folder, 'elsewhere/secret'), 'PASSWORD=hunter2\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const FILES = [
  'nightshift.yaml',
  'features/customer_activity/view.yaml',
  'features/customer_activity/features.sql',
  'models/churn/model.yaml',
  'models/churn/labels.sql',
  'models/churn/RUNBOOK.md',
]

/** What stands in the place of a file, and what is said of it. */
const HOSTILE: [what: string, put: (path: string) => void, said: RegExp][] = [
  [
    'a link out of the project',
    (path) => symlinkSync(join(folder, 'elsewhere/secret'), path),
    /leads out of it/,
  ],
  [
    'a relative link out of it',
    (path) => symlinkSync('../../../elsewhere/secret', path),
    /leads out of it|is missing|got none/,
  ],
  [
    'a link to the environment of the process',
    (path) => symlinkSync('/proc/self/environ', path),
    /leads out of it/,
  ],
  [
    'a link to an open file of the process',
    (path) => symlinkSync('/proc/self/fd/0', path),
    /leads out of it|is missing|device/,
  ],
  ['a link to a device', (path) => symlinkSync('/dev/zero', path), /leads out of it/],
  ['a link to itself', (path) => symlinkSync(path, path), /leads back to itself|got none/],
  ['a pipe', (path) => execFileSync('mkfifo', [path]), /a device, a pipe or a socket/],
  ['a folder', (path) => mkdirSync(path), /is a folder/],
  [
    'a file of 4 GiB',
    (path) => {
      writeFileSync(path, '')
      truncateSync(path, 2 ** 32)
    },
    /at most 1 MiB .*got: 4294967296/,
  ],
  ['a file one byte too long', (path) => writeFileSync(path, ' '.repeat(1024 * 1024 + 1)), /at most 1 MiB/],
  [
    'bytes that are no text',
    (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00])),
    /in UTF-8, got other bytes/,
  ],
]

describe.each(HOSTILE)('%s', (_, put, said) => {
  test.each(FILES)('in the place of %s is refused', (file) => {
    rmSync(join(root, file))
    put(join(root, file))
    const { problems } = loadProject(root)
    const told = problems.filter((problem) => problem.file === file && problem.severity === 'error')
    expect(told.map(({ message }) => message).join()).toMatch(said)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })
})

test.each([
  '/etc/passwd',
  '../../../elsewhere/secret',
  '../../elsewhere/secret',
  '../../../../../../../etc/passwd',
])('labels.sql: %s names no file of the project', (sql) => {
  const model = `model: churn\nowner: x\non_call: a@example.com\nview: customer_activity\nscore: { column: s }\nlabels: { sql: ${sql}, horizon: 30d }\n`
  writeFileSync(join(root, 'models/churn/model.yaml'), model)
  const { problems, project } = loadProject(root)
  expect(problems.filter(({ severity }) => severity === 'error')).not.toEqual([])
  expect(project?.models.churn).toBeUndefined()
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})

test.each(['models', 'features', 'schedules', 'models/churn', 'features/customer_activity'])(
  'the folder %s as a link out of the project is refused, and its names are not told',
  (name) => {
    rmSync(join(root, name), { recursive: true })
    symlinkSync(join(folder, 'elsewhere'), join(root, name))
    const { problems } = loadProject(root)
    expect(problems.find(({ file }) => file === name)?.message).toMatch(/leads out of it/)
    expect(problems.map(({ message }) => message).join()).not.toMatch(/it has: .*secret/)
  },
)

test('a link within the project is read, as mounted settings are', () => {
  mkdirSync(join(root, '..data'))
  writeFileSync(join(root, '..data/nightshift.yaml'), 'project: linked\ntimezone: UTC\n')
  rmSync(join(root, 'nightshift.yaml'))
  symlinkSync('..data/nightshift.yaml', join(root, 'nightshift.yaml'))
  expect(loadProject(root).project?.name).toBe('linked')
})

test('a project that is itself reached by a link is read', () => {
  symlinkSync(root, join(folder, 'link'))
  expect(loadProject(join(folder, 'link')).project?.name).toBe('telco')
})

test('a socket is refused', async () => {
  const path = join(root, 'models/churn/RUNBOOK.md')
  rmSync(path)
  const server = createServer().listen(path)
  await new Promise((done) => server.once('listening', done))
  expect(readProjectFile(root, 'models/churn/RUNBOOK.md')).toMatchObject({
    fault: expect.stringMatching(/socket/),
  })
  await new Promise((done) => server.close(done))
})

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { compare, hashSync } from 'bcryptjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TemporaryProject, temporaryProject } from '../../projects/cdnow.ts'
import { ended, type Finished } from '../nightshift.ts'

const CLI = resolve(import.meta.dirname, '../../../dist/cli.js')
let project: TemporaryProject
beforeEach(async () => {
  project = await temporaryProject({
    'nightshift.yaml': 'project: people\ntimezone: UTC\nwarehouse: warehouse\n',
  })
})
afterEach(() => project.remove())

const path = () => join(project.root, '.nightshift/users')
const lines = () => readFileSync(path(), 'utf8').trimEnd().split('\n').slice(1)

/** Runs `nightshift user` with a password on its standard input. */
function user(args: string[], { password = '', users = '' } = {}): Promise<Finished> {
  const child = spawn(process.execPath, [CLI, 'user', ...args, '--project', project.root], {
    env: { ...process.env, NIGHTSHIFT_USERS: users },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // A command that refuses its arguments reads no password.
  child.stdin.on('error', () => {})
  child.stdin.end(password)
  return ended(child)
}

test('a user is added with a bcrypt hash, in a file that only its owner reads', async () => {
  const added = await user(['add', 'ann', '--role', 'operator'], { password: 'correct horse\n' })
  expect(added).toEqual({ code: 0, stdout: 'ann may sign in as operator: .nightshift/users\n', stderr: '' })
  expect(statSync(path()).mode & 0o777).toBe(0o600)
  const [name, role, hash = ''] = lines()[0]?.split(':') ?? []
  expect([name, role]).toEqual(['ann', 'operator'])
  expect(hash).toMatch(/^\$2b\$12\$/)
  expect(await compare('correct horse', hash)).toBe(true)
  expect(existsSync(`${path()}.new`)).toBe(false)
})

test('adding a name again changes password and role; others stay as they are', async () => {
  await user(['add', 'ann', '--role', 'operator'], { password: 'correct horse' })
  await user(['add', 'bob', '--role', 'viewer'], { password: 'battery staple' })
  const [ann, bob] = lines()
  const again = await user(['add', 'ann', '--role', 'viewer'], { password: 'another password' })
  expect(again.stdout).toContain('ann is viewer and has a new password')
  expect(lines()[1]).toBe(bob)
  expect(lines()[0]).toMatch(/^ann:viewer:/)
  expect(lines()[0]).not.toBe(ann)
})

test('users are listed without their hashes, and removed', async () => {
  expect((await user(['list', '--json'])).stdout).toBe('[]\n')
  await user(['add', 'ann', '--role', 'operator'], { password: 'correct horse' })
  expect(JSON.parse((await user(['list', '--json'])).stdout)).toEqual([{ name: 'ann', role: 'operator' }])
  const unknown = await user(['remove', 'anne'])
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    'nightshift: user remove: expected one of ann, got: anne; did you mean ann?\n',
  ])
  expect((await user(['remove', 'ann'])).code).toBe(0)
  expect(lines()).toEqual([])
})

test.each([
  ['a short password', ['add', 'ann', '--role', 'viewer'], 'short', /expected at least 8 characters, got: 5/],
  [
    '73 bytes',
    ['add', 'ann', '--role', 'viewer'],
    `${'ü'.repeat(36)}x`,
    /expected at most 72 bytes, because bcrypt ignores the rest, got: 73/,
  ],
  [
    'no password',
    ['add', 'ann', '--role', 'viewer'],
    '',
    /expected one line on standard input, got: nothing/,
  ],
  ['no role', ['add', 'ann'], 'correct horse', /--role: expected viewer .* or operator .*, got: nothing/],
  [
    'a misspelt role',
    ['add', 'ann', '--role', 'opeator'],
    'correct horse',
    /got: opeator; did you mean operator\?/,
  ],
  [
    'a name with a colon',
    ['add', 'a:b', '--role', 'viewer'],
    'correct horse',
    /expected a name of letters.*got: a:b/,
  ],
  ['no name', ['add', '--role', 'viewer'], 'correct horse', /expected a name of letters.*got: nothing/],
  ['another word', ['ad', 'ann'], '', /expected add, list or remove, got: ad; did you mean add\?/],
])('%s is refused, and nothing is written', async (_, args, password, message) => {
  const refused = await user(args, { password })
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(message)])
  expect(existsSync(path())).toBe(false)
})

test('seventy-two bytes are taken whole', async () => {
  const password = 'ü'.repeat(36)
  expect((await user(['add', 'ann', '--role', 'viewer'], { password })).code).toBe(0)
  const hash = lines()[0]?.split(':')[2] ?? ''
  expect(await compare(password, hash)).toBe(true)
  expect(await compare('ü'.repeat(35), hash)).toBe(false)
})

test('where NIGHTSHIFT_USERS holds the users themselves, the entry is printed for it', async () => {
  const users = `bob:viewer:${hashSync('battery staple', 4)}`
  const added = await user(['add', 'ann', '--role', 'operator'], { password: 'correct horse', users })
  expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining('in single quotes') })
  expect(added.stdout).toMatch(/^ann:operator:\$2b\$12\$[./A-Za-z0-9]{53}\n$/)
  expect(existsSync(path())).toBe(false)
  const listed = await user(['list', '--json'], { users: `${users},${added.stdout.trim()}` })
  expect(JSON.parse(listed.stdout)).toEqual([
    { name: 'bob', role: 'viewer' },
    { name: 'ann', role: 'operator' },
  ])
})

test('NIGHTSHIFT_USERS may name a file, which user add writes', async () => {
  const file = join(project.root, 'elsewhere/people')
  const missing = await user(['list'], { users: file })
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringMatching(/people, which does not exist; `nightshift user add/),
  ])
  expect(
    (await user(['add', 'ann', '--role', 'viewer'], { password: 'correct horse', users: file })).code,
  ).toBe(0)
  expect(JSON.parse((await user(['list', '--json'], { users: file })).stdout)).toEqual([
    { name: 'ann', role: 'viewer' },
  ])
})

test('a broken file is named with its entry, without the hash, and is not written over', async () => {
  await user(['add', 'ann', '--role', 'viewer'], { password: 'correct horse' })
  const [entry = ''] = lines()
  const text = `${entry}\nbob:admin:${entry.split(':')[2]}\n`
  writeFileSync(path(), text)
  const refused = await user(['add', 'cy', '--role', 'viewer'], { password: 'correct horse' })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(/users: entry 2: bob: expected the role viewer or operator, got: "admin"/)
  expect(refused.stderr).not.toContain('$2b$')
  expect(readFileSync(path(), 'utf8')).toBe(text)
})

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closePrivate, privateFolder } from '../../../src/project/files/private-folder.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nightshift-private-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const modeOf = (path: string) => (statSync(join(root, path)).mode & 0o777).toString(8)

test.each([0o000, 0o022, 0o077, 0o177])('a folder is for its owner alone under the mask %o', (mask) => {
  const before = process.umask(mask)
  try {
    privateFolder(root, 'simulations', 's1')
  } finally {
    process.umask(before)
  }
  expect(['.nightshift', '.nightshift/simulations', '.nightshift/simulations/s1'].map(modeOf)).toEqual([
    '700',
    '700',
    '700',
  ])
})

test('what an older build left open is closed, with all that lies in it', () => {
  for (const folder of ['outbox/old', 'postgres', 'simulations/s1/outbox']) {
    mkdirSync(join(root, '.nightshift', folder), { recursive: true, mode: 0o755 })
    writeFileSync(join(root, '.nightshift', folder, 'mail.eml'), 'x', { mode: 0o644 })
  }
  writeFileSync(join(root, '.nightshift/users'), 'x', { mode: 0o664 })
  chmodSync(join(root, '.nightshift'), 0o777)
  expect(closePrivate(root)).toEqual([])
  const all = readdirSync(join(root, '.nightshift'), { recursive: true, encoding: 'utf8' })
  expect(all.filter((path) => statSync(join(root, '.nightshift', path)).mode & 0o077)).toEqual([])
  expect(modeOf('.nightshift')).toBe('700')
})

test('a file that is open in a closed folder is closed as well', () => {
  privateFolder(root, 'postgres')
  writeFileSync(join(root, '.nightshift/postgres/README'), 'x', { mode: 0o644 })
  closePrivate(root)
  expect(modeOf('.nightshift/postgres/README')).toBe('600')
})

test('links are not followed', () => {
  mkdirSync(join(root, 'elsewhere'), { mode: 0o755 })
  privateFolder(root)
  symlinkSync(join(root, 'elsewhere'), join(root, '.nightshift/link'))
  closePrivate(root)
  expect(modeOf('elsewhere')).toBe('755')
})

test('there is nothing to close where there is no folder', () => {
  expect(closePrivate(root)).toEqual([])
})

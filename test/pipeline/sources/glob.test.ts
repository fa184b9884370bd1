import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { expandGlob } from '../../../src/pipeline/sources/glob.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nightshift-glob-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), 'x')
  }
}

const find = (pattern: string) =>
  expandGlob(root, pattern).files.map(({ path }) => path.slice(root.length + 1))
const refused = (pattern: string) =>
  expandGlob(root, pattern).unreadable.map(({ path, why }) => `${path.slice(root.length + 1)} ${why}`)

test('** stands for any number of folders, also between names and several times', () => {
  write('a/x.parquet', 'a/b/x.parquet', 'a/b/c/x.parquet', 'b/x.parquet', 'a/b/c/y.csv')
  expect(find('a/**/x.parquet')).toEqual(['a/b/c/x.parquet', 'a/b/x.parquet', 'a/x.parquet'])
  expect(find('**/b/**/x.parquet')).toEqual(['a/b/c/x.parquet', 'a/b/x.parquet', 'b/x.parquet'])
  expect(find('**/**/a/**/**/*.csv')).toEqual(['a/b/c/y.csv'])
  expect(find('a/b/**')).toEqual(['a/b/c/x.parquet', 'a/b/c/y.csv', 'a/b/x.parquet'])
})

test('braces choose among names, folders and numbers', () => {
  write('a/1.parquet', 'b/c/1.parquet', 'b/1.parquet', 'day=01/x', 'day=02/x', 'day=03/x')
  expect(find('{a,b/c}/*.parquet')).toEqual(['a/1.parquet', 'b/c/1.parquet'])
  expect(find('day={01..02}/x')).toEqual(['day=01/x', 'day=02/x'])
})

test('signs that mean nothing in a path stand for themselves', () => {
  const names = ['a+b (1)$^.parquet', '!x.parquet', '#x.parquet', '+(a).parquet']
  write(...names)
  for (const name of names) expect(find(name)).toEqual([name])
  expect(find('a+b (?)$^.*')).toEqual(['a+b (1)$^.parquet'])
  expect(find('!*.parquet')).toEqual(['!x.parquet'])
  expect(find('#*.parquet')).toEqual(['#x.parquet'])
  expect(find('+(*).parquet')).toEqual(['+(a).parquet'])
})

test('the name of the project is no pattern', () => {
  const own = join(root, 'old [1] {a,b}*')
  mkdirSync(own)
  writeFileSync(join(own, 'x.parquet'), 'x')
  expect(expandGlob(own, '*.parquet').files.map(({ path }) => path)).toEqual([join(own, 'x.parquet')])
})

test('a hidden folder is walked only where it is written out', () => {
  write('a/.tmp/x', 'a/_temporary/0/x', 'a/_temporary2/x', 'a/x')
  expect(find('a/**/x')).toEqual(['a/_temporary2/x', 'a/x'])
  expect(find('a/**/.tmp/x')).toEqual(['a/.tmp/x'])
  expect(find('a/*temporary*/**')).toEqual(['a/_temporary2/x'])
  expect(find('a/_temporary/0/x')).toEqual(['a/_temporary/0/x'])
})

test('a link to a folder elsewhere is followed, under its own name', () => {
  write('kept/2026/x.parquet', 'data/2025/x.parquet')
  symlinkSync(join(root, 'kept/2026'), join(root, 'data/2026'))
  expect(find('data/**/*.parquet')).toEqual(['data/2025/x.parquet', 'data/2026/x.parquet'])
  expect(find('data/*/*.parquet')).toEqual(['data/2025/x.parquet', 'data/2026/x.parquet'])
})

test.each<[string, [target: string, link: string][]]>([
  ['to the folder itself', [['data/a', 'data/a/again']]],
  ['to the folder above', [['data', 'data/a/again']]],
  ['to above the path', [['.', 'data/a/again']]],
  ['to the root of the machine', [['/', 'data/a/again']]],
  [
    'by a second link',
    [
      ['data/b', 'data/a/again'],
      ['data/a', 'data/b/back'],
    ],
  ],
])('a link that leads around is named: %s', (_, links) => {
  write('data/a/x.parquet', 'data/b/y.parquet')
  for (const [target, link] of links)
    symlinkSync(target.startsWith('/') ? target : join(root, target), join(root, link))
  expect(refused('data/**/*.parquet')[0]).toMatch(/(again|back) is a link to .* it would go around for ever/)
  expect(new Set(find('data/**/*.parquet').map((path) => path.slice(-9)))).toEqual(
    new Set(['x.parquet', 'y.parquet']),
  )
  // Without ** there is an end to it.
  expect(find('data/*/*.parquet')).toEqual(['data/a/x.parquet', 'data/b/y.parquet'])
})

test('a link that leads to itself is named', () => {
  write('data/a/x.parquet')
  symlinkSync('round', join(root, 'data/round'))
  expect(refused('data/**/*.parquet')).toEqual(['data/round is a link that leads back to itself'])
  expect(refused('data/round/*.parquet')).toEqual(['data/round is a link that leads back to itself'])
})

test('objects are no files: who forgets to make them local is told, and finds no empty source', () => {
  expect(() => expandGlob(root, 's3://lake/*.parquet')).toThrow('expected files on this machine')
})

test.each([
  `${'*a'.repeat(120)}*b`,
  `${'*[a-z]?'.repeat(60)}*b`,
  `${'**/'.repeat(150)}${'*a'.repeat(100)}b`,
  `${'**/d*/'.repeat(100)}*b`,
  `${'{*a,*aa}'.repeat(6)}b`,
])('hard patterns cost no more than others: %s', (pattern) => {
  const deep = Array.from({ length: 20 }, (_, at) => `d${at}`).join('/')
  write(...Array.from({ length: 20 }, (_, at) => `${deep}/${'a'.repeat(220)}${at}`))
  const before = process.cpuUsage()
  expect(find(pattern)).toEqual([])
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1e6).toBeLessThan(2)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readEntry } from '../../../src/project/files/entry.ts'
import { loadProject } from '../../../src/project/files/load-project.ts'
import { readYaml } from '../../../src/project/files/yaml-file.ts'
import { viewRules } from '../../../src/project/rules/view-rules.ts'
import { viewSchema } from '../../../src/project/schema/view-schema.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nightshift-yaml-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function read(text: string) {
  writeFileSync(join(root, 'view.yaml'), text)
  const kind = { name: 'view', schema: viewSchema, loose: viewSchema.partial(), rules: viewRules }
  return readEntry({ root, file: 'view.yaml', name: 'v', example: 'view: v' }, kind)
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('')
const fill = (text: string) => text.repeat(Math.floor((1024 * 1024) / text.length))
const HEAD = 'view: v\nowner: x\nentity: id\n'

test.each<[string, string, RegExp]>([
  ['8,000 unknown keys', lines(8_000, (at) => `key_${at}: 1\n`), /unknown key key_0; legal here/],
  ['8,000 unknown keys in braces', `{ ${lines(8_000, (at) => `key_${at}: 1, `)} }`, /unknown key key_0/],
  ['8,000 keys given twice', lines(8_000, () => 'owner: x\n'), /owner is given twice/],
  [
    '8,000 sources of a wrong kind',
    `${HEAD}sources:\n${lines(8_000, (at) => `  t${at}: x\n`)}`,
    /sources\.t0/,
  ],
  [
    '5,000 columns with a wrong bound',
    `${HEAD}columns:\n${lines(5_000, (at) => `  c${at}: { mn: 1 }\n`)}`,
    /unknown key mn in columns\.c0/,
  ],
  [
    '6,000 names of no source',
    `${HEAD}expect:\n  fresh:\n${lines(6_000, (at) => `    t${at}: 1h\n`)}`,
    /names t0, which is not a source/,
  ],
  [
    '15,000 values listed twice',
    `${HEAD}columns: { c: { values: [${fill('a, ').slice(0, 45_000)}] } }\n`,
    /listed twice/,
  ],
  [
    '6,000 tables that differ in case alone',
    `${HEAD}sources:\n${lines(3_000, (at) => `  t${at}: x\n  T${at}: x\n`)}`,
    /sources/,
  ],
  [
    'a key of a megabyte',
    `${fill('k').slice(20)}: 1\n`,
    /unknown key k+\.\.\. \(\d+ characters\)|expected YAML/,
  ],
  ['a value of a megabyte', `view: ${fill('v').slice(20)}\n`, /expected view to be a name/],
  ['half a million lists in each other', fill('['), /nested at most/],
  ['half a million maps in each other', fill('{a: '), /nested at most/],
  ['lists in lists, line by line', fill('- '), /nested at most|at most \d+ tokens/],
  ['keys that are maps', fill('? '), /nested at most|at most \d+ tokens|a key to be a text/],
  [
    'aliases of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${lines(15, (at) => `${String.fromCharCode(98 + at)}: &${String.fromCharCode(98 + at)} [${`*${String.fromCharCode(97 + at)},`.repeat(9)}]\n`)}`,
    /aliases/i,
  ],
  ['10,000 aliases', `a: &a 1\nb:\n${lines(10_000, () => '  - *a\n')}`, /at most 100 aliases/],
  ['a quarter of a million comments', fill('#\n'), /at most \d+ tokens/],
  ['half a million quotes', fill('"'), /at most \d+ tokens|expected YAML/],
  ['100,000 closing brackets', ']'.repeat(100_000), /expected YAML/],
  ['50,000 broken lines', lines(50_000, () => 'a: [\n'), /nested at most/],
  ['100,000 tags', fill('! '), /at most \d+ tokens/],
])('%s are told in time linear in the file, and not all of them', (_, text, said) => {
  const before = process.cpuUsage()
  const { problems, value } = read(text)
  const { user, system } = process.cpuUsage(before)
  expect(value).toBeUndefined()
  expect(problems.map(({ message }) => message).join('\n')).toMatch(said)
  expect(problems.length).toBeLessThanOrEqual(101)
  expect(JSON.stringify(problems).length).toBeLessThan(200_000)
  // Quadratic work took minutes for 30,000 keys: over ten seconds for these.
  expect((user + system) / 1e6).toBeLessThan(6)
})

test('a list that was cut says so, and keeps its errors', () => {
  const { problems } = read(lines(300, (at) => `key_${at}: 1\n`))
  expect(problems).toHaveLength(101)
  expect(problems.at(-1)).toMatchObject({
    severity: 'error',
    message: expect.stringMatching(/^and more: only the first 100/),
  })
})

test('the problems of a whole project stop at 100 as well', () => {
  for (const file of ['nightshift.yaml'])
    writeFileSync(
      join(root, file),
      lines(150, (at) => `key_${at}: 1\n`),
    )
  expect(loadProject(root).problems).toHaveLength(101)
})

test('a key that is given twice is told at its second place, in any style', () => {
  writeFileSync(join(root, 'a.yaml'), 'a: 1\nb: { c: 1, c: 2 }\n"a": 2\n')
  const { problems, data } = readYaml(root, 'a.yaml', 'a: 1')
  expect(problems.map(({ line, column, message }) => [line, column, message.slice(0, 20)])).toEqual([
    [3, 1, '"a" is given twice: '],
    [2, 12, 'c is given twice: th'],
  ])
  expect(data).toEqual({ a: 2, b: { c: 2 } })
})

test('an alias may stand below its anchor, and nowhere else', () => {
  writeFileSync(join(root, 'a.yaml'), 'a: &x { n: 1 }\nb: *x\n')
  expect(readYaml(root, 'a.yaml', 'a: 1')).toMatchObject({ problems: [], data: { b: { n: 1 } } })
  writeFileSync(join(root, 'a.yaml'), 'b: *x\na: &x 1\n')
  expect(readYaml(root, 'a.yaml', 'a: 1').problems[0]?.message).toMatch(/\*x refers to nothing/)
})

import { expect, test } from 'vitest'
import { lineDiff } from '../../src/registry/line-diff.ts'

const text = (...lines: string[]) => `${lines.join('\n')}\n`

test('equal texts differ in nothing, whatever ends them', () => {
  expect(lineDiff(text('a', 'b'), 'a\nb')).toEqual([])
})

test('a changed line stands between its neighbours', () => {
  expect(lineDiff(text('a', 'b', 'c', 'd', 'e'), text('a', 'b', 'x', 'd', 'e'))).toEqual([
    '@@ line 2 @@',
    '  b',
    '- c',
    '+ x',
    '  d',
  ])
})

test('changes far apart are two, and what was put in or taken out moves nothing else', () => {
  expect(lineDiff(text('a', 'b', 'c', 'd', 'e', 'f'), text('new', 'a', 'b', 'c', 'd', 'e'))).toEqual([
    '@@ line 1 @@',
    '+ new',
    '  a',
    '@@ line 6 @@',
    '  e',
    '- f',
  ])
})

test('a rewritten text is cut, and says by how much', () => {
  const lines = (word: string) => text(...Array.from({ length: 40 }, (_, index) => `${word} ${index}`))
  const diff = lineDiff(lines('old'), lines('new'), 10)
  expect(diff).toHaveLength(11)
  expect(diff.at(-1)).toBe('... 71 more lines')
})

import { expect, test } from 'vitest'
import { placeInText } from '../../../src/project/files/yaml-text.ts'

const FILE = `a: SELECT x
b: |
    SELECT
      y
c: "SELECT z"
d: >
  SELECT
  w
e: SELECT
  v
`

test.each([
  ['a plain text', { line: 1, column: 4 }, { line: 1, column: 8 }, { line: 1, column: 11 }],
  ['a block that keeps its lines', { line: 2, column: 4 }, { line: 2, column: 3 }, { line: 4, column: 7 }],
  ['a quoted text', { line: 5, column: 4 }, { line: 1, column: 8 }, { line: 5, column: 12 }],
  [
    'a folded block, by its beginning',
    { line: 6, column: 4 },
    { line: 1, column: 8 },
    { line: 6, column: 4 },
  ],
  [
    'a text folded over lines, by its beginning',
    { line: 9, column: 4 },
    { line: 1, column: 8 },
    { line: 9, column: 4 },
  ],
])('a place within %s', (_, at, within, expected) => {
  expect(placeInText(FILE, at, within)).toEqual(expected)
})

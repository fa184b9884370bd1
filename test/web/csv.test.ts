import { expect, test } from 'vitest'
import { csv } from '../../src/web/csv.ts'

test('commas, quotes and lines are quoted, numbers and nulls are as they are', () => {
  expect(
    csv(
      ['a', 'b'],
      [
        ['x, "y"', 1.5],
        [null, 'two\nlines'],
        [true, undefined],
      ],
    ),
  ).toBe('a,b\r\n"x, ""y""",1.5\r\n,"two\nlines"\r\ntrue,\r\n')
})

test.each([['=HYPERLINK("http://evil")'], ['+1'], ['-1'], ['@SUM(A1)'], ['\t=1'], ['\r=1']])(
  'a spreadsheet takes %j for a text',
  (text) => {
    const field = csv(['a'], [[text]]).slice('a\r\n'.length)
    expect(field.replace(/^"/, '')).toMatch(/^'/)
  },
)

test('a negative number stays a number', () => {
  expect(csv(['a'], [[-1.5]])).toBe('a\r\n-1.5\r\n')
})

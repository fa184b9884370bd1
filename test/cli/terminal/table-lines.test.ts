import { expect, test } from 'vitest'
import { tableLines } from '../../../src/cli/terminal/table-lines.ts'

const HEADER = ['as of', 'name', 'state', 'due', '']
const ROWS = [
  [
    '2026-11-30',
    'customer_orders',
    'waiting, late',
    '2026-11-30 04:00 UTC',
    'orders are late: the newest row is of 2026-11-28 21:54 UTC',
  ],
  ['2026-11-29', 'lapse', 'published', '', ''],
]
const lines = (width: number, spare: string[] = []) => {
  const { lines: found, without } = tableLines(HEADER, ROWS, { width, spare })
  return {
    text: found.map((line) =>
      line
        .map(({ text }) => text)
        .join('  ')
        .trimEnd(),
    ),
    without,
  }
}
const widest = (text: string[]) => Math.max(...text.map(({ length }) => length))

test('a table that fits, or is for no terminal, has a line for each row', () => {
  expect(lines(Number.POSITIVE_INFINITY).text).toEqual([
    'as of       name             state          due',
    '2026-11-30  customer_orders  waiting, late  2026-11-30 04:00 UTC  orders are late: the newest row is of 2026-11-28 21:54 UTC',
    '2026-11-29  lapse            published',
  ])
})

test('what has no name goes below its row first', () => {
  expect(lines(70).text).toEqual([
    'as of       name             state          due',
    '2026-11-30  customer_orders  waiting, late  2026-11-30 04:00 UTC',
    '    orders are late: the newest row is of 2026-11-28 21:54 UTC',
    '2026-11-29  lapse            published',
  ])
})

test('then columns that can be spared are left out, and named', () => {
  const { text, without } = lines(50, ['due'])
  expect(without).toEqual(['due'])
  expect(text).toEqual([
    'as of       name             state',
    '2026-11-30  customer_orders  waiting, late',
    '    orders are late: the newest row is of',
    '    2026-11-28 21:54 UTC',
    '2026-11-29  lapse            published',
  ])
})

test('then each row is a list; no name, no id and no instant is cut', () => {
  const { text } = lines(40)
  expect(widest(text)).toBeLessThanOrEqual(40)
  expect(text).toEqual([
    'as of  2026-11-30',
    'name   customer_orders',
    'state  waiting, late',
    'due    2026-11-30 04:00 UTC',
    '       orders are late: the newest row',
    '       is of 2026-11-28 21:54 UTC',
    '',
    'as of  2026-11-29',
    'name   lapse',
    'state  published',
  ])
})

test('a column without a value is no loss', () => {
  const found = tableLines(['run', 'evidence', 'why'], [['abcdefgh', '', 'late']], { width: 16 })
  expect(found.lines.map((line) => line.map(({ text }) => text.trimEnd()))).toEqual([
    ['run', 'why'],
    ['abcdefgh', 'late'],
  ])
  expect(found.without).toEqual([])
})

test('texts are wrapped within their columns before anything is left out', () => {
  const found = tableLines(['run', 'why'], [['abcdefgh', 'the newest row is of yesterday']], { width: 26 })
  expect(found.lines.map((line) => line.map(({ text }) => text.trimEnd()))).toEqual([
    ['run', 'why'],
    ['abcdefgh', 'the newest row'],
    ['', 'is of yesterday'],
  ])
})

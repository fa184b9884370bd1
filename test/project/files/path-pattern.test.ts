import { expect, test } from 'vitest'
import { patternFault, patternRows } from '../../../src/project/files/path-pattern.ts'

test.each([
  'data/*.parquet',
  'data/**/day=202[5-6]-*/part-{0,1}?.parquet',
  '/srv/data/**',
  '../shared/*.parquet',
  'a/[]x].parquet',
  'a/[!]x].parquet',
  'a/{b/c,d}/x.parquet',
  'day={01..31}/*',
  'plain name (1) +@!x.parquet',
  `${'*a'.repeat(200)}b`,
  `${'**/'.repeat(200)}b`,
])('%s is sound', (pattern) => {
  expect(patternFault(pattern)).toBeUndefined()
})

test.each([
  ['data/[ab.parquet', /a \] closes each \[/],
  ['data/[a/b].parquet', /a \] closes each \[ before the next \//],
  ['data/{a,b.parquet', /a } closes each {/],
  ['data/a}.parquet', /in which each } closes a {/],
  ['data/{region}/*.parquet', /choose among several/],
  ['data/{}/*.parquet', /choose among several/],
  ['data\\calls\\*.parquet', /without a backslash/],
  ['data/\0.parquet', /without control characters/],
  ['data/\n*.parquet', /without control characters/],
  ['data/*/../x.parquet', /without \.\. after its first wildcard/],
  ['/**/*.parquet', /a folder name before its first \*\*/],
  ['x'.repeat(1001), /at most 1000 characters/],
  ['{a,b}'.repeat(30), /expand to at most 100 paths/],
  [`${'{a,'.repeat(200)}b${'}'.repeat(200)}`, /expand to at most 100 paths/],
  ['rows={0..99999999}/*.parquet', /expand to at most 100 paths/],
  [`{${'a,'.repeat(100)}b}`, /expand to at most 100 paths/],
])('%j is refused with what is legal', (pattern, legal) => {
  expect(patternFault(pattern)).toMatch(legal)
})

test('braces are several paths, also over folders', () => {
  expect(patternRows('a/{b/*,c}/./x')).toEqual([
    ['a', 'b', '*', 'x'],
    ['a', 'c', 'x'],
  ])
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Try } from './record.ts'
import { faultTable, readTries, withTable } from './table.ts'

const tried = (
  fault: string,
  seconds: number,
  { happened = 'published', form = 'full' }: { happened?: string; form?: Try['form'] } = {},
): Try => ({ fault, promise: 'published once', happened, seconds, form })

test('tries of one fault are one row, with the median and the worst', () => {
  const tries = [
    tried('kill', 3),
    tried('cut', 1),
    tried('kill', 1),
    tried('kill', 20, { happened: 'failed' }),
  ]
  const text = tries.map((each) => JSON.stringify(each)).join('\n')
  expect(faultTable(readTries(`${text}\n`))).toBe(
    [
      '| fault | promise | form | tries | what happened | seconds, median / worst |',
      '| --- | --- | --- | --- | --- | --- |',
      '| cut | published once | full | 1 | published | 1.0 / 1.0 |',
      '| kill | published once | full | 3 | 2: published; 1: failed | 3.0 / 20.0 |',
    ].join('\n'),
  )
})

test('a run of some tests replaces the rows of their faults and keeps the others', () => {
  const tries = [tried('kill', 3), tried('cut', 1)]
  const page = withTable('<!-- written by npm run test:faults -->\n<!-- end -->', faultTable(tries))
  expect(faultTable([tried('cut', 9)], page)).toBe(faultTable([tried('kill', 3), tried('cut', 9)]))
  expect(faultTable([], page)).toBe(faultTable(tries))
})

test('tries of the short form take the place of no row of the full form', () => {
  const short = (seconds: number) => tried('kill', seconds, { form: 'short' })
  const page = (tries: Try[]) =>
    withTable('<!-- written by npm run test:faults -->\n<!-- end -->', faultTable(tries))
  expect(faultTable([short(9)], page([tried('kill', 3)]))).toBe(faultTable([tried('kill', 3)]))
  expect(faultTable([short(9)], page([short(3)]))).toBe(faultTable([short(9)]))
  expect(faultTable([tried('kill', 3)], page([short(9)]))).toBe(faultTable([tried('kill', 3)]))
  expect(faultTable([short(9)])).toContain('| short | 1 |')
})

test('the page of the project has a place for the table, and what stands around it stays', () => {
  const page = readFileSync('docs/reliability.md', 'utf8')
  const made = withTable(page, '| new |')
  expect(made).toContain('\n\n| new |\n\n')
  expect(withTable(made, '| new |')).toBe(made)
  expect(made.split('\n')[0]).toBe(page.split('\n')[0])
  expect(() => withTable('# nothing', '')).toThrow('has no place')
})

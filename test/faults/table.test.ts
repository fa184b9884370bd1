import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faultTable, readTries, withTable } from './table.ts'

const tried = (fault: string, seconds: number, happened = 'published') => ({
  fault,
  promise: 'published once',
  happened,
  seconds,
})

test('tries of one fault are one row, with the median and the worst', () => {
  const tries = [tried('kill', 3), tried('cut', 1), tried('kill', 1), tried('kill', 20, 'failed')]
  const text = tries.map((each) => JSON.stringify(each)).join('\n')
  expect(faultTable(readTries(`${text}\n`))).toBe(
    [
      '| fault | promise | tries | what happened | seconds, median / worst |',
      '| --- | --- | --- | --- | --- |',
      '| cut | published once | 1 | published | 1.0 / 1.0 |',
      '| kill | published once | 3 | 2: published; 1: failed | 3.0 / 20.0 |',
    ].join('\n'),
  )
})

test('a run of some tests replaces the rows of their faults and keeps the others', () => {
  const tries = [tried('kill', 3), tried('cut', 1)]
  const page = withTable('<!-- written by npm run test:faults -->\n<!-- end -->', faultTable(tries))
  expect(faultTable([tried('cut', 9)], page)).toBe(faultTable([tried('kill', 3), tried('cut', 9)]))
  expect(faultTable([], page)).toBe(faultTable(tries))
})

test('the page of the project has a place for the table, and what stands around it stays', () => {
  const page = readFileSync('docs/reliability.md', 'utf8')
  const made = withTable(page, '| new |')
  expect(made).toContain('\n\n| new |\n\n')
  expect(withTable(made, '| new |')).toBe(made)
  expect(made.split('\n')[0]).toBe(page.split('\n')[0])
  expect(() => withTable('# nothing', '')).toThrow('has no place')
})

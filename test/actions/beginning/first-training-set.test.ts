import { expect, test } from 'vitest'
import { firstTrainingSet } from '../../../src/actions/beginning/first-training-set.ts'
import type { Proposal } from '../../../src/pipeline/beginning/propose-sources.ts'

const of = (first: string, last: string, { isState = false, rows = 10 } = {}) =>
  ({
    isState,
    rows,
    span: { first: `${first} 08:00:00`, last: `${last} 22:00:00` },
  }) as Proposal['tables'][number]
const set = (tables: Proposal['tables'], asOf: string, window: number) =>
  firstTrainingSet({ tables } as Proposal, asOf, window)

test('the first training set ends a window before the events do, and its holdout is one of its as-ofs', () => {
  expect(set([of('2025-01-01', '2026-11-30')], '2026-12-01', 90)).toBe(
    '--from 2025-04-28 --to 2026-08-28 --every 1mo --holdout-from 2026-08-28',
  )
  expect(set([of('2026-11-01', '2026-11-30')], '2026-12-01', 7)).toBe(
    '--from 2026-11-08 --to 2026-11-22 --every 7d --holdout-from 2026-11-22',
  )
})

test('it begins with events, however old a state is, and ends with those that labels are of', () => {
  const tables = [
    of('1930-05-01', '1999-01-01', { isState: true, rows: 99 }),
    of('1998-01-01', '1999-11-30', { rows: 5 }),
    of('2026-01-01', '2026-10-31'),
  ]
  expect(set(tables, '2026-12-01', 30)).toBe(
    '--from 2026-04-28 --to 2026-09-28 --every 1mo --holdout-from 2026-09-28',
  )
})

test('entities are held out where no as-of is a window older than the last', () => {
  expect(set([of('2026-10-02', '2026-11-30')], '2026-12-01', 30)).toBe(
    '--from 2026-10-16 --to 2026-10-30 --every 7d --holdout-groups 0.2',
  )
  expect(set([], '2026-12-01', 30)).toBe('--from 2026-11-01 --to 2026-11-01 --every 7d --holdout-groups 0.2')
})

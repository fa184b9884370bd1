import { expect, test } from 'vitest'
import { evidenceOf } from '../../../../src/monitoring/parity/parity-words.ts'
import { seesFailedRows } from '../../../../src/web/pages/list/rows-shown.ts'
import { quotesRows } from '../../../../src/web/pages/mails.ts'
import { checks } from '../../../../src/web/pages/night/checks.ts'
import { parity } from '../../../../src/web/pages/night/parity.ts'

const OPERATOR = { role: 'operator' } as never
const VIEWER = { role: 'viewer' } as never

test.each([
  ['nobody', OPERATOR, true],
  ['nobody', VIEWER, false],
  ['nobody', null, false],
  ['operators', VIEWER, false],
  ['everyone', VIEWER, true],
] as const)('pages.rows: %s lets %o see the rows that failed: %s', (rows, viewer, expected) => {
  expect(seesFailedRows({ pages: { rows } }, viewer)).toBe(expected)
})

test.each([true, false])(
  'a failed expectation has its counts for all, its rows where they are shown: %s',
  (withRows) => {
    const failed = {
      id: 'columns.spend.max',
      kind: 'max',
      passed: false,
      observed: 6552,
      bound: 5000,
      message: 'column spend: expected 5000 or less (1 of 2357 rows)',
      samples: [{ customer_id: '1901', spend: '6552.7' }],
    } as never
    const text = String(checks([failed], { about: '', timezone: 'UTC', withRows }))
    expect(text).toContain('1 of 2357 rows')
    expect(text.includes('1901')).toBe(withRows)
  },
)

test.each([true, false])(
  'what differs from training has its counts for all, a row where they are shown: %s',
  (withRows) => {
    const examples = [{ entity: '1901', published: '7', other: '8' }]
    const certificate = {
      differing: 1,
      checked_at: '2026-03-03T00:00:00Z',
      report: { values: 10, by_column: [{ column: 'spend', differing: 1, examples }] },
    } as never
    const text = String(parity(certificate, { timezone: 'UTC' } as never, withRows))
    expect(text).toContain('1 differ')
    expect(text.includes('1901')).toBe(withRows)
  },
)

test('a mail that quotes a row is told from one that does not', () => {
  const by_column = [
    { column: 'spend', differing: 1, examples: [{ entity: '1901', published: '7', other: '8' }] },
  ]
  expect(quotesRows(JSON.stringify(evidenceOf({ by_column } as never)))).toBe(true)
  expect(quotesRows('- a row: spend 6552.7, customer_id 1901')).toBe(true)
  expect(
    quotesRows('lapsed is not scored: its readers keep the scores of 2026-12-01, published 29 s ago.'),
  ).toBe(false)
})

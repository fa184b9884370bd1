import { expect, test } from 'vitest'
import { groupTexts } from '../../../src/cli/terminal/group-texts.ts'

test('identical texts are grouped, with their nights and the range of their row counts', () => {
  const nights = [
    ['2026-11-01', 'measured on the 1272 rows that were not acted on'],
    ['2026-11-02', 'measured on the 1180 rows that were not acted on'],
    ['2026-11-03', 'failed: 2 of them were acted on'],
    ['2026-11-04', 'measured on the 1200 rows that were not acted on'],
    ['2026-11-05', 'immature: its label window ends at 2026-12-05T23:00:00Z'],
    ['2026-11-06', 'immature: its label window ends at 2026-12-06T23:00:00Z'],
  ].map(([partition = '', text = '']) => ({ partition, text }))
  expect(groupTexts(nights)).toEqual([
    {
      nights: '3 nights, 2026-11-01 to 2026-11-04',
      text: 'measured on the 1180 to 1272 rows that were not acted on',
    },
    { nights: '2026-11-03', text: 'failed: 2 of them were acted on' },
    { nights: '2026-11-05', text: 'immature: its label window ends at 2026-12-05T23:00:00Z' },
    { nights: '2026-11-06', text: 'immature: its label window ends at 2026-12-06T23:00:00Z' },
  ])
  expect(groupTexts([])).toEqual([])
})

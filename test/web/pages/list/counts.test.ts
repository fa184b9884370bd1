import { describe, expect, test } from 'vitest'
import type { ListFacts } from '../../../../src/pipeline/list/read-list.ts'
import { changeText, sizeText, tiesText } from '../../../../src/web/pages/list/counts.ts'

const FACTS: ListFacts = {
  run: 'run1',
  method: null,
  rows: 2357,
  decided: 1300,
  edge: { lowest: 0.9005, highest: 0.8999 },
  top: [],
  ties: { rows: 0, shown: 0 },
  compared: null,
}

test.each<[string, Partial<ListFacts>, number | undefined, string]>([
  ['many', {}, 0.9, '2,357 rows, of which 1,300 are on the list: their score is at least 0.9.'],
  ['one', { decided: 1 }, 0.9, '2,357 rows, of which one is on the list: its score is at least 0.9.'],
  [
    'a night of one row',
    { rows: 1, decided: 1, edge: { lowest: 0.95, highest: null } },
    0.9,
    'One row, of which this one is on the list: its score is at least 0.9.',
  ],
  [
    'none',
    { decided: 0, edge: { lowest: null, highest: 0.8 } },
    0.9,
    '2,357 rows, of which none is on the list: no score is at least 0.9.',
  ],
  [
    'no rows',
    { rows: 0, decided: 0, edge: { lowest: null, highest: null } },
    0.9,
    'The night has no rows, so nobody is on the list.',
  ],
  [
    'a FLOAT that is the threshold',
    { edge: { lowest: Math.fround(0.7), highest: 0.6 } },
    0.7,
    '2,357 rows, of which 1,300 are on the list: their score is at least 0.7.',
  ],
  [
    'a threshold that was changed since',
    {},
    0.95,
    '2,357 rows, of which 1,300 are on the list: the lowest score on it is 0.9005, the highest of the others 0.8999. model.yaml now has the threshold 0.95, which counts for nights scored from now on.',
  ],
  [
    'a threshold that was removed since',
    {},
    undefined,
    '2,357 rows, of which 1,300 are on the list: the lowest score on it is 0.9005, the highest of the others 0.8999. model.yaml has no threshold any more.',
  ],
  ['no threshold', { decided: null }, undefined, '2,357 rows. There is no threshold: the list is its top.'],
  [
    'no threshold that night',
    { decided: null },
    0.9,
    '2,357 rows. This night was scored without a threshold: the list is its top. model.yaml now has the threshold 0.9, which counts for nights scored from now on.',
  ],
])('the size of a list: %s', (_, facts, threshold, text) => {
  expect(sizeText({ facts: { ...FACTS, ...facts } }, { threshold })).toBe(text)
})

describe('what came and went', () => {
  const compared = { entered: 3, stayed: 17, left: 3, entrants: [], leavers: [] }
  const row = { entity: ['7'], score: 0.96, rank: 1, decision: null, reasons: [], before: null }
  const list = (version: number, facts: Partial<ListFacts>) =>
    ({
      run: { version },
      before: { partition: '2026-03-02', version: 1 },
      facts: { ...FACTS, ...facts },
    }) as never

  test('names the list, the top where there is no threshold, and another version', () => {
    expect(changeText(list(1, { compared }))).toBe(
      'Compared with 2026-03-02: 3 entered the list, 3 left, 17 stayed.',
    )
    const top = Array.from({ length: 20 }, () => row)
    expect(changeText(list(2, { compared, decided: null, top }))).toBe(
      'Compared with 2026-03-02, which version 1 scored and not version 2: 3 entered the 20 highest, 3 left, 17 stayed.',
    )
  })

  test('a table that ends among equal scores says how many are left out', () => {
    const tied = (rows: number) =>
      String(tiesText({ facts: { ...FACTS, top: [row, row], ties: { rows, shown: 2 } }, entity: ['id'] }))
    expect(tied(2)).toBe('')
    expect(tied(57)).toContain(
      '57 rows have the score 0.96 of the last row here. 2 of them are shown, the lowest id first.',
    )
  })
})

import { expect, test } from 'vitest'
import { describeParity } from '../../../src/monitoring/parity/parity-words.ts'
import type { ParityFacts } from '../../../src/pipeline/parity/parity-facts.ts'

const facts = (more: Partial<ParityFacts>) =>
  ({
    values: 90,
    differing: 0,
    rounding: 0,
    late: 0,
    cause: null,
    types: [],
    missing_columns: [],
    more_columns: [],
    changed_files: ['data/late.parquet'],
    by_column: [
      { column: 'calls', differing: 2 },
      { column: 'plan', differing: 0 },
    ],
    ...more,
  }) as ParityFacts

test('columns are named behind the count that they belong to', () => {
  expect(describeParity(facts({}))).toBe('90 values, 0 differing')
  expect(describeParity(facts({ differing: 2, cause: 'values' }))).toBe(
    '90 values, 2 differing (calls): the same definition and files give different values',
  )
  expect(describeParity(facts({ late: 2, cause: 'late' }))).toBe(
    '90 values, 0 differing, 2 late (calls): rows arrived late: data/late.parquet',
  )
})

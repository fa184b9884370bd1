import { expect, test } from 'vitest'
import type { Check } from '../../../src/pipeline/engine/facts.ts'
import { brokenStructure } from '../../../src/pipeline/features/releasable.ts'

const check = (kind: string, passed = false): Check => ({
  id: kind,
  kind,
  column: undefined,
  passed,
  observed: 1,
  bound: 0,
  message: kind,
  samples: [],
})

test.each([
  'column.min',
  'column.max',
  'column.values',
  'column.max_null_rate',
  'column.unknown',
  'rows.min',
  'rows.max',
  'rows.max_change',
  'fresh',
  'score.range',
])('%s is declared by the team, and may be released', (kind) => {
  expect(brokenStructure([check(kind)])).toEqual([])
})

test.each(['entity.null', 'entity.unique', 'score.finite', 'score.rows', 'a check that nobody knows yet'])(
  '%s is structure, and is never released',
  (kind) => {
    expect(brokenStructure([check('column.min'), check(kind)]).map((each) => each.kind)).toEqual([kind])
    expect(brokenStructure([check(kind, true)])).toEqual([])
  },
)

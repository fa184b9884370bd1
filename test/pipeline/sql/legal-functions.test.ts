import { describe, expect, it } from 'vitest'
import { functionsOfDuckDb, SPELLINGS } from '../../../build/duckdb-functions.ts'
import { FUNCTIONS, TABLE_FUNCTIONS } from '../../../src/pipeline/sql/function-groups.ts'
import { isTableFunction, namesOf, refusalOf } from '../../../src/pipeline/sql/legal-functions.ts'

describe('the list of functions', () => {
  it('names each function of the pinned DuckDB once, and no other: run `npm run functions`, and look at what is new', async () => {
    const { values, tables } = await functionsOfDuckDb()
    expect(FUNCTIONS.flatMap(namesOf).sort()).toEqual([...new Set([...values, ...SPELLINGS])].sort())
    expect(TABLE_FUNCTIONS.flatMap(namesOf).sort()).toEqual([...tables].sort())
    expect([...FUNCTIONS, ...TABLE_FUNCTIONS].map(({ group }) => group)).not.toContain('not looked at')
  })

  it('refuses what it does not name, and offers what is near', () => {
    expect(refusalOf('list_summ')).toBe(
      'is no function that SQL of a project may use; did you mean list_sum?',
    )
    expect(['read_orc', 'read_csv', 'unnest'].map(isTableFunction)).toEqual([false, false, true])
    expect(refusalOf('sum')).toBeUndefined()
    expect(refusalOf('constructor')).toMatch(/^is no function/)
  })
})

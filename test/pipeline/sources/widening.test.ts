import { expect, it } from 'vitest'
import { widerType } from '../../../src/pipeline/sources/widening.ts'

it('types widen to the narrowest that holds both, whatever their order', () => {
  const cases: [string, string, string | undefined][] = [
    ['INTEGER', 'INTEGER', 'INTEGER'],
    ['TINYINT', 'BIGINT', 'BIGINT'],
    ['UTINYINT', 'UINTEGER', 'UINTEGER'],
    ['UTINYINT', 'TINYINT', 'SMALLINT'],
    ['UINTEGER', 'INTEGER', 'BIGINT'],
    ['USMALLINT', 'BIGINT', 'BIGINT'],
    ['UBIGINT', 'BIGINT', 'HUGEINT'],
    ['FLOAT', 'DOUBLE', 'DOUBLE'],
    ['DECIMAL(10,2)', 'DECIMAL(12,2)', 'DECIMAL(12,2)'],
    ['DECIMAL(10,2)', 'DECIMAL(8,4)', 'DECIMAL(12,4)'],
    ['DECIMAL(38,0)', 'DECIMAL(10,2)', undefined],
    ['TIMESTAMP_NS', 'TIMESTAMP', 'TIMESTAMP_NS'],
    ['INTEGER[]', 'BIGINT[]', 'BIGINT[]'],
    ['INTEGER', 'DOUBLE', undefined],
    ['BIGINT', 'VARCHAR', undefined],
    ['BIGINT', 'DECIMAL(18,0)', undefined],
    ['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', undefined],
    ['TIMESTAMP', 'DATE', undefined],
    ['BIGINT', 'BIGINT[]', undefined],
  ]
  for (const [a, b, wider] of cases) {
    expect([a, b, widerType(a, b)]).toEqual([a, b, wider])
    expect([b, a, widerType(b, a)]).toEqual([b, a, wider])
  }
})

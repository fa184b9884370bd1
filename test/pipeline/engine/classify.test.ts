import { expect, it } from 'vitest'
import { classify } from '../../../src/pipeline/engine/classify.ts'
import { openEngine } from '../../../src/pipeline/engine/duckdb.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'

const coded = (code: string, message = 'x') => Object.assign(new Error(message), { code })

it.each([
  [new Failure('late-data', 'x'), 'late-data'],
  [new ConfigurationError('x'), 'contract'],
  [coded('ENOSPC'), 'resource'],
  [coded('EDQUOT'), 'resource'],
  [coded('ECONNRESET'), 'transient'],
  [coded('EACCES'), 'contract'],
  [coded('57P01'), 'transient'],
  [coded('53100'), 'resource'],
  [new RangeError('Array buffer allocation failed'), 'resource'],
  [new Error('std::bad_alloc'), 'resource'],
  [new Error('Out of Memory Error: failed to allocate data of size 16.0 MiB'), 'resource'],
  [new Error('IO Error: Could not write file "/x": No space left on device'), 'resource'],
  [new Error('IO Error: Could not read from file "/x": Input/output error'), 'transient'],
  [
    new Error('INTERNAL Error: Attempted to access index 4 within vector of size 4\n\nStack Trace:\n...'),
    'bug',
  ],
  [new Error('Non-zero status code returned while running Gemm node'), 'model'],
  [new TypeError('undefined is not a function'), 'bug'],
  ['a string', 'bug'],
])('%s is %s', (error, failureClass) => {
  expect(classify(error).failureClass).toBe(failureClass)
})

it('knows what DuckDB itself throws, and leaves its stack traces out', async () => {
  const engine = await openEngine({ readable: [], writable: [], temp: '/tmp', threads: 1, timezone: 'UTC' })
  for (const sql of [
    'SELECT',
    'SELECT nope',
    'SELECT * FROM nope',
    "SELECT 'x'::INTEGER",
    'SELECT 9223372036854775807 + 1',
    "SELECT error('no')",
  ]) {
    const failure = classify(await engine.run(sql).catch((error: unknown) => error))
    expect(failure.failureClass, sql).toBe('contract')
    expect(failure.message).not.toMatch(/exception_type|Stack Trace|\n/)
  }
  engine.close()
})

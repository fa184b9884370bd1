import { expect, test } from 'vitest'
import { jsonValue } from '../../../src/pipeline/scoring/json-value.ts'

test.each([
  ['4.0', 'DOUBLE', 4],
  ['0.1', 'FLOAT', 0.1],
  ['-7', 'INTEGER', -7],
  ['9007199254740993', 'BIGINT', '9007199254740993'],
  ['255', 'UTINYINT', 255],
  ['12.50', 'DECIMAL(10,2)', 12.5],
  ['12345678901234567.89', 'DECIMAL(38,2)', '12345678901234567.89'],
  ['nan', 'DOUBLE', 'nan'],
  ['true', 'BOOLEAN', true],
  ['007', 'VARCHAR', '007'],
  [null, 'DOUBLE', null],
])('%s of a %s is %s as JSON', (text, type, value) => {
  expect(jsonValue(text, type)).toBe(value)
})

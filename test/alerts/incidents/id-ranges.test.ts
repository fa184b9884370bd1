import { expect, test } from 'vitest'
import { idRanges, readIds } from '../../../src/alerts/incidents/id-ranges.ts'

test('ids are written as ranges and read back', () => {
  expect(idRanges([14, 12, 13, 20, 13])).toBe('12-14 20')
  expect(readIds(['12-14', '#20'])).toEqual([12, 13, 14, 20])
  expect(() => readIds(['churn'])).toThrow('expected an id such as 12, or a range such as 12-51, got: churn')
})

import type { Column } from '../engine/facts.ts'
import { isNumber } from './expectation-plan.ts'

/**
 * What is wrong with the type of an entity's column that is to be joined to that of features or scores: `'a14'` meets
 * no number, and the engine would say so on some night, of some row. Numbers meet numbers of another width, and dates
 * times. Undefined where nothing is, or the features are not known.
 */
export function entityTypeFault({ name, type }: Column, features: readonly Column[]): string | undefined {
  const expected = features.find((column) => column.name === name)
  if (expected === undefined || familyOf(expected.type) === familyOf(type)) return undefined
  return `expected ${name} to be ${expected.type}, as in the features, got: ${type}; they cannot be joined: cast it`
}

function familyOf(type: string): string {
  if (isNumber(type)) return 'number'
  return /^(?:DATE|TIMESTAMP)/.test(type) ? 'time' : type
}

import type { Column } from '../engine/facts.ts'
import { literal } from '../engine/quote.ts'
import { plainClass } from './choose-class.ts'

/** Types of tensors that columns can be fed into. */
export const ELEMENTS = ['float32', 'float64', 'int32', 'int64', 'bool', 'string'] as const
export type Element = (typeof ELEMENTS)[number]

export function isElement(type: string): type is Element {
  return ELEMENTS.some((element) => element === type)
}

const INTEGERS = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/
const NUMBERS = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/
const TIMES = /^(DATE|TIME|TIMESTAMP|INTERVAL)/

/**
 * Whether a column of DuckDB's type can be fed into a tensor without changing what it means. Undefined where it
 * can, else what to do instead. No number becomes a text or a truth value on its own, no fraction loses its part.
 */
export function misfit(
  { name, type }: Column,
  element: Element,
  known?: (string | number)[],
): string | undefined {
  const integer = INTEGERS.test(type) || /^DECIMAL\(\d+,\s*0\)$/.test(type)
  const column = `column ${name} is ${type}`
  if (TIMES.test(type)) {
    return `${column}: models do not accept times. Convert it to a number in features.sql, such as date_diff('day', ${name}, $as_of)`
  }
  switch (element) {
    case 'float32':
    case 'float64':
      if (integer || NUMBERS.test(type) || type === 'BOOLEAN') return undefined
      return `${column}, expected a number: encode it in features.sql, such as (${name} = 'a')::FLOAT, or export the model with a string input`
    case 'int32':
    case 'int64':
      if (integer || type === 'BOOLEAN') return undefined
      if (NUMBERS.test(type))
        return `${column}, expected an integer: round it in features.sql, such as round(${name})::${element === 'int32' ? 'INTEGER' : 'BIGINT'}`
      return `${column}, expected an integer: encode it in features.sql`
    case 'bool':
      return type === 'BOOLEAN'
        ? undefined
        : `${column}, expected BOOLEAN: write the condition in features.sql, such as ${name} > 0`
    case 'string':
      if (type === 'VARCHAR') return undefined
      return `${column}, expected VARCHAR: ${type === 'BOOLEAN' ? truthAsText(name, known) : asText(name, known)}`
  }
}

/** DuckDB writes `true` and `false`, which is hardly ever what a model was trained on. */
function truthAsText(name: string, known: (string | number)[] | undefined): string {
  const texts = known?.map(String) ?? []
  const yes = plainClass(texts)
  if (yes !== undefined) {
    return `the model knows ${texts.join(', ')}: write CASE WHEN ${name} THEN ${literal(texts[yes] ?? '')} ELSE ${literal(texts[1 - yes] ?? '')} END in features.sql`
  }
  const which =
    texts.length === 0
      ? 'the file does not show which texts the model knows'
      : `the model knows ${listed(texts)}`
  return `${which}: write the two that it was trained on in features.sql, CASE WHEN ${name} THEN '<its text for true>' ELSE '<its text for false>' END`
}

function asText(name: string, known: (string | number)[] | undefined): string {
  const which = known === undefined ? '' : `the model knows ${listed(known.map(String))}: `
  return `${which}write ${name}::VARCHAR in features.sql if the model was trained on its text`
}

const LISTED = 20

function listed(texts: string[]): string {
  const more = texts.length > LISTED ? ` and ${texts.length - LISTED} more` : ''
  return `${texts.slice(0, LISTED).join(', ')}${more}`
}

/** What is wrong with a value that is to replace null in such a tensor; undefined where nothing is. */
export function misfill(fill: string | number | boolean, element: Element): string | undefined {
  const legal = legalFill(fill, element)
  return legal === undefined ? undefined : `expected ${legal}, got: ${JSON.stringify(fill)}`
}

function legalFill(fill: string | number | boolean, element: Element): string | undefined {
  switch (element) {
    case 'float32':
    case 'float64':
      return typeof fill === 'number' ? undefined : 'a number'
    case 'int32':
    case 'int64':
      return Number.isSafeInteger(fill) ? undefined : 'an integer'
    case 'bool':
      return typeof fill === 'boolean' ? undefined : 'true or false'
    case 'string':
      return typeof fill === 'string' ? undefined : 'a text'
  }
}

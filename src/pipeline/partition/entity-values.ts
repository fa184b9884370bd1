import type { SchemaElement } from 'hyparquet'
import { identifier } from '../engine/quote.ts'

/**
 * One value of an entity's column as the file holds it: text as its bytes, a decimal as its whole number of smallest units, a
 * date as days and a timestamp as microseconds since 1970. What is read so loses nothing: not a digit of a decimal, not
 * the zero byte of a text, not the sign of a zero.
 */
export type EntityValue = string | number | bigint | boolean | Uint8Array | null | undefined

/** The schema element under which hyparquet gives the file's own values; it would make dates, doubles and texts of some. */
export function physicalElement(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type, ...physical } = element
  const isUnsigned = converted_type?.startsWith('UINT_') === true
  return isUnsigned ? element : physical
}

/** What hyparquet gives under `physicalElement`: decimals of more than 18 digits come as bytes. */
export function entityValues(
  values: ArrayLike<EntityValue>,
  { converted_type }: SchemaElement,
): ArrayLike<EntityValue> {
  if (converted_type !== 'DECIMAL') return values
  return Array.from(values, (value) => (value instanceof Uint8Array ? wholeNumber(value) : value))
}

/** Two's complement, the highest byte first. */
function wholeNumber(bytes: Uint8Array): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`))
}

/** SQL of a column's value as `valueText` gives it of what was read; null where it is null. */
export function valueSql(name: string, type: string): string {
  const column = identifier(name)
  if (type === 'VARCHAR') return `hex(${column})`
  if (type === 'DATE')
    return instantSql(column, `date_diff('day', DATE '1970-01-01', ${column})`, 2n ** 31n - 1n)
  if (type.startsWith('TIMESTAMP')) return instantSql(column, `epoch_us(${column})`, 2n ** 63n - 1n)
  // Without its point it is the whole number of smallest units.
  if (type.startsWith('DECIMAL')) return `replace(${column}::VARCHAR, '.', '')::HUGEINT::VARCHAR`
  return type === 'BOOLEAN' || isFloating(type) ? column : `${column}::VARCHAR`
}

/** Infinite times have the greatest and least number as theirs. */
function instantSql(column: string, finite: string, infinite: bigint): string {
  return `CASE WHEN isfinite(${column}) THEN ${finite}::VARCHAR WHEN ${column} > '2000-01-01' THEN '${infinite}' WHEN ${column} IS NOT NULL THEN '-${infinite}' END`
}

function isFloating(type: string): boolean {
  return type === 'FLOAT' || type === 'DOUBLE'
}

/** One value, comparable with what `valueSql` gives. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').toUpperCase()
  return Object.is(value, -0) ? '-0' : String(value)
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** One value as an error shows it. */
export function shownValue(value: EntityValue): string {
  return value instanceof Uint8Array ? JSON.stringify(decoder.decode(value)) : valueText(value)
}

/** DuckDB's order: text by its bytes, nulls last, NaN behind all numbers. */
export function compareValues(a: EntityValue, b: EntityValue): number {
  if (a === b) return 0
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1
  if (b === null || b === undefined) return -1
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  const [first, second] = [Number.isNaN(a), Number.isNaN(b)]
  if (first || second) return Number(first) - Number(second)
  return a < b ? -1 : a > b ? 1 : 0
}

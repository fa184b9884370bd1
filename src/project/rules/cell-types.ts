import type { Cell } from '../schema/example-schema.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?$/
const ZONED = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}(?::\d{2})?)$/

/** The narrowest of the usual types that holds all values of a column; undefined where there is none or no value. */
export function typeOfCells(cells: readonly Cell[]): string | undefined {
  const values = cells.filter((cell) => cell !== null)
  if (values.length === 0) return undefined
  const usual = ['BOOLEAN', 'BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'VARCHAR']
  // Digits in quotes are a text: a number of an account, say.
  const isText = values.every((value) => typeof value === 'string')
  return usual.find(
    (type) => !(isText && /^(?:BIGINT|DOUBLE)$/.test(type)) && values.every((value) => fitsType(value, type)),
  )
}

/** Whether a value of a YAML file can stand in a column of this type of DuckDB as it is written. */
export function fitsType(cell: Cell, type: string): boolean {
  if (cell === null) return true
  if (type === 'BOOLEAN') return typeof cell === 'boolean'
  if (typeof cell === 'boolean') return false
  // Whole numbers in quotes: YAML reads no more than 53 bits.
  if (/INT/.test(type)) return typeof cell === 'number' ? Number.isInteger(cell) : /^-?\d{16,39}$/.test(cell)
  if (/^(?:FLOAT|DOUBLE|DECIMAL)/.test(type)) return typeof cell === 'number' || /^-?\d+\.\d+$/.test(cell)
  if (typeof cell !== 'string') return false
  if (type === 'DATE') return DATE.test(cell) && exists(cell)
  if (type === 'TIMESTAMP') return TIME.test(cell) && exists(cell)
  if (type === 'TIMESTAMP WITH TIME ZONE') return ZONED.test(cell) && exists(cell)
  return true
}

/** 2026-02-30 is no date. */
function exists(text: string): boolean {
  const day = text.slice(0, 10)
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}

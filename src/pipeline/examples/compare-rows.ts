import { didYouMean } from '../../project/files/nearest.ts'
import { fitsType } from '../../project/rules/cell-types.ts'
import type { Cell } from '../../project/schema/example-schema.ts'
import type { Engine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { text } from './write-table.ts'

export interface Difference {
  /** Such as `customer_id 7`. */
  entity: string
  /** Null: the whole row is missing, or is one too many. */
  column: string | null
  expected: string
  got: string
}

export interface Compared {
  rows: number
  values: number
  compared: string[]
  features: string[]
  differences: Difference[]
}

type Row = Record<string, Cell>
type Texts = Map<string, string | null>

/** Relative. The same as everywhere where contents are compared. */
const TOLERANCE: Record<string, number> = { DOUBLE: 1e-9, FLOAT: 1e-6 }

/** Compares the features in a file with an example's rows: all entities, and the columns that each row names. */
export async function compareRows(
  engine: Engine,
  path: string,
  entity: string[],
  rows: Row[],
): Promise<Compared> {
  const types = await typesOf(engine, path)
  const named = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  refuseUnknown(named, [...types.keys()])
  const got = await readTexts(engine, path, [...types.keys()])
  const expected = await castRows(engine, rows, named, types)
  const differences: Difference[] = []
  let values = 0
  const keyOf = (texts: Texts) => JSON.stringify(entity.map((name) => texts.get(name) ?? null))
  const found = new Map(got.map((texts) => [keyOf(texts), texts]))
  for (const [index, texts] of expected.entries()) {
    const row = rows[index] ?? {}
    const who = entity.map((name) => `${name} ${show(row[name] ?? null)}`).join(', ')
    const key = keyOf(texts)
    const other = found.get(key)
    found.delete(key)
    if (other === undefined || !entity.every((name) => fitsType(row[name] ?? null, types.get(name) ?? ''))) {
      differences.push({ entity: who, column: null, expected: 'a row', got: 'none' })
      continue
    }
    for (const [column, cell] of Object.entries(row)) {
      if (entity.includes(column)) continue
      values++
      const type = types.get(column) ?? ''
      const value = other.get(column) ?? null
      if (isSame(cell, texts.get(column) ?? null, value, type)) continue
      differences.push({ entity: who, column, expected: show(cell), got: shown(value, type) })
    }
  }
  for (const texts of found.values()) {
    const who = entity.map((name) => `${name} ${shown(texts.get(name) ?? null, types.get(name) ?? '')}`)
    differences.push({ entity: who.join(', '), column: null, expected: 'no row', got: 'a row' })
  }
  const isFeature = (name: string) => !entity.includes(name)
  return {
    rows: rows.length,
    values,
    compared: named.filter(isFeature),
    features: [...types.keys()].filter(isFeature),
    differences,
  }
}

function refuseUnknown(named: string[], columns: string[]): void {
  const unknown = named.find((name) => !columns.includes(name))
  if (unknown === undefined) return
  throw new Failure(
    'contract',
    `expected the rows to name columns of features.sql (${columns.join(', ')}), got: ${unknown}${didYouMean(unknown, columns)}`,
  )
}

async function typesOf(engine: Engine, path: string): Promise<Map<string, string>> {
  const columns = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(path)}`)
  return new Map(columns.map(({ column_name, column_type }) => [String(column_name), String(column_type)]))
}

async function readTexts(engine: Engine, path: string, columns: string[]): Promise<Texts[]> {
  const texts = columns.map((name, index) => `${identifier(name)}::VARCHAR AS c${index}`)
  const rows = await engine.rows(`SELECT ${texts.join(', ')} FROM ${parquet(path)}`)
  return rows.map((row) => new Map(columns.map((name, index) => [name, orNull(row[`c${index}`])])))
}

/** The rows as the columns' types print them; null where a cell cannot be read so. */
async function castRows(
  engine: Engine,
  rows: Row[],
  columns: string[],
  types: Map<string, string>,
): Promise<Texts[]> {
  const result = rows.map((): Texts => new Map())
  if (rows.length === 0) return result
  for (const name of columns) {
    const cells = rows.map((row, index) => `(${index}, ${text(row[name] ?? null)})`)
    const cast = await engine.rows(
      `SELECT place, TRY_CAST(cell AS ${types.get(name) ?? 'VARCHAR'})::VARCHAR AS cell
         FROM (VALUES ${cells.join(', ')}) AS given(place, cell)`,
    )
    for (const { place, cell } of cast) result[Number(place)]?.set(name, orNull(cell))
  }
  return result
}

function orNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value)
}

function isSame(cell: Cell, expected: string | null, got: string | null, type: string): boolean {
  if (cell === null || got === null) return cell === null && got === null
  if (expected === null || !fitsType(cell, type)) return false
  // A DECIMAL rounds what is written with more digits.
  if (type.startsWith('DECIMAL') && Number(expected) !== Number(cell)) return false
  if (expected === got) return true
  const tolerance = TOLERANCE[type]
  if (tolerance === undefined) return false
  const [a, b] = [Number(expected), Number(got)]
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b))
}

function show(cell: Cell): string {
  return JSON.stringify(cell)
}

function shown(text: string | null, type: string): string {
  if (text === null) return 'null'
  return /INT|FLOAT|DOUBLE|DECIMAL|BOOLEAN/.test(type) ? text : JSON.stringify(text)
}

import type { Engine } from '../engine/duckdb.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { columnOf } from './admitted.ts'
import type { SourceColumn } from './file-kinds.ts'
import type { FooterColumn } from './footers.ts'
import { HIVE_NULL } from './glob.ts'
import { isDate } from './key-types.ts'
import { contract, type FoundSource, requireFetched, type SourceFile } from './sources.ts'

/**
 * A folder's key hides the column of its name in DuckDB: harmless where every row says the same, nonsense elsewhere.
 * The statistics tell of most files; of others that column is read. Throws a contract Failure that names the file.
 */
export async function refuseMasked(
  engine: Engine,
  found: FoundSource,
  files: SourceFile[],
  key: SourceColumn,
): Promise<void> {
  for (const file of files) {
    const column = columnOf(file, key.name)
    const value = file.keys.get(key.name)
    if (column === undefined || value === undefined || isSameValue(column, value)) continue
    if (file.footer.rows === 0 || (await holdsOnly(engine, file, column.name, value))) continue
    throw contract(
      found.name,
      file.shown,
      `the folder ${key.name}=${value} hides the file's own column ${column.name}, and they differ: rename one of them`,
    )
  }
}

function isSameValue({ range, isVoid }: FooterColumn, value: string): boolean {
  if (value === HIVE_NULL) return isVoid
  // Statistics do not count the nulls among the values.
  if (range === undefined || range.min !== range.max || isVoid) return false
  const days = isDate(value) ? BigInt(Date.parse(`${value}T00:00:00Z`) / 86_400_000) : undefined
  const whole = /^-?\d{1,18}$/.test(value) ? BigInt(value) : undefined
  return range.min === (days ?? whole)
}

async function holdsOnly(engine: Engine, file: SourceFile, name: string, value: string): Promise<boolean> {
  requireFetched([file])
  const column = identifier(name)
  const { type } = await engine.row(`SELECT typeof(${column}) AS type FROM ${parquet(file.opened)} LIMIT 1`)
  const given = value === HIVE_NULL ? 'NULL' : `TRY_CAST(${literal(value)} AS ${String(type)})`
  const { same } = await engine.row(
    `SELECT bool_and(${column} IS NOT DISTINCT FROM ${given}) AS same FROM ${parquet(file.opened)}`,
  )
  return same === true
}

import { identifier, literal } from '../engine/quote.ts'
import { declaredColumns } from './declared-columns.ts'
import type { SourceColumn } from './file-kinds.ts'
import { quoted, type Schema, UNTYPED } from './source-columns.ts'
import type { FoundSource, SourceFile } from './sources.ts'

/** Files of a source, and what is read of them. */
export interface Relation {
  found: FoundSource
  /** At least one: its schema is needed even where no row lies before the cut. */
  files: SourceFile[]
  schema: Schema
  /** The columns that the query may read. Beside them those that the source declares are there. */
  columns: SourceColumn[]
}

/**
 * SQL that reads files as one table of these columns. Files that have them all with their types are read as they are,
 * unread columns whatever they like; others in groups, cast to the wider types, null where a file has no such column.
 * Keys of folders that are read come as VARCHAR: see `keySql`.
 */
export function relation(table: Relation): string {
  const groups = groupsOf(table)
  const parts = groups.map((files) => groupSql(table, files, groups.length === 1))
  return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(' UNION ALL ')})`
}

/** Files in groups of which each has the columns that are read with types of its own. Files without rows are in none. */
export function groupsOf(table: Relation): SourceFile[][] {
  const groups = new Map<string, SourceFile[]>()
  const keys = new Map<unknown, string>()
  const { own: columns } = columnsOf(table)
  const full = table.files.filter(({ footer }) => footer.rows > 0)
  for (const file of full.length > 0 ? full : table.files.slice(0, 1)) {
    const layout = table.schema.layouts.get(file.path)
    const key = keys.get(layout) ?? columns.map((column) => typeIn(table, file, column)).join('\n')
    keys.set(layout, key)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [file])
    else group.push(file)
  }
  return [...groups.values()]
}

/**
 * A folder's key with its type. The cast is ours and not DuckDB's: an aggregate straight over a hive column, such as
 * `SELECT max(date)`, ends DuckDB 1.5.5 with an INTERNAL error.
 */
export function keySql(sql: string, type: string): string {
  return type === 'VARCHAR' ? `(${sql} || '')` : `CAST(${sql} AS ${type})`
}

function groupSql(table: Relation, files: SourceFile[], isOnly: boolean): string {
  const paths = files.map(({ opened }) => literal(opened)).join(', ')
  const { own: ownColumns, keys } = columnsOf(table)
  // Where none is read, the opened names have none either (private-files.ts).
  const read = `read_parquet([${paths}], hive_partitioning = ${keys.length > 0}, hive_types_autocast = false)`
  const columns = ownColumns.map((column) => ({ ...column, own: typeIn(table, files[0], column) }))
  if (isOnly && columns.every(({ own, type }) => own === type)) return read
  const picked = columns.map(({ name, type, own }) => {
    if (own === type) return quoted('f', name)
    const value = own === null ? 'NULL' : quoted('f', name)
    return `${type === UNTYPED ? value : `CAST(${value} AS ${type})`} AS ${identifier(name)}`
  })
  // visible.ts counts rows by file, one group at a time.
  const select = `SELECT ${[...picked, ...keys.map(({ name }) => quoted('f', name)), ...(isOnly ? ['f.file_index'] : [])].join(', ')} FROM ${read} AS f`
  return isOnly ? `(${select})` : select
}

/** Null where the file has no such column, or no value of it and another type. */
function typeIn(
  { schema }: Relation,
  file: SourceFile | undefined,
  { name, type }: SourceColumn,
): string | null {
  const own = file === undefined ? undefined : schema.layouts.get(file.path)?.get(name.toLowerCase())
  return own === undefined || (own.isVoid && own.type !== type) ? null : own.type
}

/** What is read, or declared: columns of the files, and keys of their folders. */
function columnsOf({ found, schema, columns }: Relation): { own: SourceColumn[]; keys: SourceColumn[] } {
  const all = [...new Set([...columns, ...declaredColumns(found, schema)])]
  return { own: all.filter(({ isKey }) => !isKey), keys: all.filter(({ isKey }) => isKey) }
}

import { didYouMean } from '../project/nearest.ts'
import type { Source } from '../project/project.ts'
import { LOCAL } from '../project/zone.ts'
import { columnOf, timeName } from './admitted.ts'
import type { Engine } from './duckdb.ts'
import { readEngineError } from './engine-error.ts'
import type { Column } from './facts.ts'
import { Failure } from './failure.ts'
import { identifier, literal, parquet } from './quote.ts'
import { contract, type FoundSource, type SourceFile } from './sources.ts'
import { isTime, ZONED } from './timecolumn.ts'

export interface Schema {
  /** Columns of the files and keys of the folders, types as DuckDB names them. */
  columns: SourceColumn[]
  /** The files differ in their columns, so that DuckDB has to match them by name. */
  differs: boolean
}

export interface SourceColumn extends Column {
  /** Taken from the path. */
  isKey: boolean
}

/** Wider to the right: files may differ within a row, and the widest is read. */
const WIDENING = [
  ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'],
  ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
  ['FLOAT', 'DOUBLE'],
]

/**
 * Columns and types of a source, asked of DuckDB once for every kind of file among `files`. Throws a contract
 * Failure that names the file where types differ or cannot be read, and where a declared column is missing or no time.
 */
export async function readSchema(engine: Engine, found: FoundSource, files: SourceFile[]): Promise<Schema> {
  const kinds = new Map<string, SourceFile>()
  for (const file of files) {
    const kind = file.footer.columns.map(({ name, signature }) => `${name}\n${signature}`).join('\n\n')
    if (!kinds.has(kind)) kinds.set(kind, file)
  }
  const columns = new Map<string, Column & { file: SourceFile }>()
  for (const file of kinds.values()) {
    for (const column of await describeFile(engine, found, file)) {
      const key = column.name.toLowerCase()
      const before = columns.get(key)
      if (before === undefined) columns.set(key, { ...column, file })
      else if (before.type !== column.type)
        columns.set(key, { ...before, type: widest(found, before, { ...column, file }) })
    }
  }
  const keys = found.hiveKeys.map((name) => ({ name, type: keyType(found, name), isKey: true }))
  const own = [...columns.values()].filter(
    ({ name }) => !keys.some((key) => key.name.toLowerCase() === name.toLowerCase()),
  )
  const schema = {
    columns: [...own.map(({ name, type }) => ({ name, type, isKey: false })), ...keys],
    differs: kinds.size > 1,
  }
  checkDeclared(found, schema, [...kinds.values()])
  return schema
}

/** The column of that name, whatever its case. */
export function columnNamed<C extends Column>(columns: C[], name: string): C | undefined {
  return (
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  )
}

/** SQL that reads these files as one table. Keys of folders come as VARCHAR: see `keySql`. */
export function relation(found: FoundSource, files: SourceFile[], schema: Schema): string {
  const paths = files.map(({ opened }) => literal(opened)).join(', ')
  return `read_parquet([${paths}], union_by_name = ${schema.differs}, hive_partitioning = ${found.hiveKeys.length > 0}, hive_types_autocast = false)`
}

/**
 * A folder's key with its type. The cast is ours and not DuckDB's: an aggregate straight over a hive column, such as
 * `SELECT max(date)`, ends DuckDB 1.5.5 with an INTERNAL error.
 */
export function keySql(sql: string, type: string): string {
  return type === 'VARCHAR' ? `(${sql} || '')` : `CAST(${sql} AS ${type})`
}

async function describeFile(engine: Engine, found: FoundSource, file: SourceFile): Promise<Column[]> {
  try {
    const rows = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(file.opened)}`)
    return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
  } catch (cause) {
    throw contract(
      found.name,
      file.shown,
      `its schema cannot be read (${readEngineError(cause)?.message ?? String(cause)})`,
      cause,
    )
  }
}

function widest(
  found: FoundSource,
  a: Column & { file: SourceFile },
  b: Column & { file: SourceFile },
): string {
  const row = WIDENING.find((types) => types.includes(a.type) && types.includes(b.type))
  if (row !== undefined) return row[Math.max(row.indexOf(a.type), row.indexOf(b.type))] ?? a.type
  throw contract(
    found.name,
    b.file.shown,
    `expected column ${b.name} to be ${a.type} as in ${a.file.shown}, got: ${b.type}. Have one of them written again`,
  )
}

function keyType(found: FoundSource, key: string): string {
  const values = found.files
    .map((file) => file.keys.get(key) ?? '')
    .filter((value) => value !== '__HIVE_DEFAULT_PARTITION__')
  if (values.every((value) => /^\d{4}-\d{2}-\d{2}$/.test(value))) return 'DATE'
  return values.every((value) => /^(?:0|-?[1-9]\d{0,17})$/.test(value)) ? 'BIGINT' : 'VARCHAR'
}

/** Fields of a declaration that name columns; `time` where the column has to be one. */
function declared(source: Source): { field: string; name: string; time: boolean }[] {
  const time = timeName(source)
  const fields: { field: string; name: string | undefined; time: boolean }[] = []
  if (source.kind === 'events') fields.push({ field: 'event_time', name: time, time: true })
  if (source.kind === 'snapshots') fields.push({ field: 'snapshot_at', name: time, time: true })
  if (source.kind === 'history') {
    fields.push(...source.key.map((name) => ({ field: 'key', name, time: false })))
    fields.push(
      { field: 'valid_from', name: time, time: true },
      { field: 'valid_to', name: source.valid_to, time: true },
    )
  }
  if (source.kind === 'events' || source.kind === 'history')
    fields.push({ field: 'available_at', name: source.available_at, time: true })
  return fields.flatMap(({ field, name, time: isTimeField }) =>
    name === undefined ? [] : [{ field, name, time: isTimeField }],
  )
}

function checkDeclared(found: FoundSource, schema: Schema, kinds: SourceFile[]): void {
  const names = schema.columns.map(({ name }) => name)
  for (const { field, name, time } of declared(found.source)) {
    const column = columnNamed(schema.columns, name)
    if (column === undefined) {
      throw refuse(
        found,
        field,
        `expected ${field} to be a column, got: ${name}; its columns are: ${names.join(', ')}${didYouMean(name, names)}`,
      )
    }
    if (column.isKey) {
      if (time && (found.source.kind === 'history' || field === 'available_at')) {
        throw refuse(
          found,
          field,
          `expected ${field} to be a column of the files, got: ${name}, a key of the folders`,
        )
      }
      continue
    }
    if (time && !isTime(column.type)) {
      throw refuse(found, field, `expected ${field} to be a TIMESTAMP or a DATE, got: ${name} ${column.type}`)
    }
    const without = kinds.find((file) => columnOf(file, name) === undefined)
    if (without !== undefined)
      throw contract(
        found.name,
        without.shown,
        `expected the column ${name} (${field}), which other files of the source have; got: ${without.footer.columns.map((each) => each.name).join(', ')}`,
      )
  }
  checkZones(found, schema)
}

/** A zone that names no column would leave one in another zone, in silence. */
function checkZones(found: FoundSource, { columns }: Schema): void {
  const names = columns.map(({ name }) => name)
  for (const [name, zone] of Object.entries(found.source.timezones ?? {})) {
    const column = columnNamed(columns, name)
    const why =
      column === undefined
        ? `expected timezones to name columns, got: ${name}; its columns are: ${names.join(', ')}${didYouMean(name, names)}`
        : column.isKey || isTime(column.type)
          ? zonedFault(column, zone)
          : `expected timezones to name columns of times, got: ${name} ${column.type}; remove it`
    if (why !== undefined) throw refuse(found, 'timezones', why)
  }
}

function zonedFault({ name, type }: SourceColumn, zone: string): string | undefined {
  if (type !== ZONED || zone === LOCAL || zone === 'UTC') return undefined
  return `expected timezones.${name} to be ${LOCAL} or UTC, got: ${zone}; ${name} is ${ZONED}, which says its zone itself: remove it`
}

function refuse(found: FoundSource, field: string, why: string): Failure {
  return new Failure('contract', `source ${found.name}: ${why}`, { evidence: { source: found.name, field } })
}

export function quoted(alias: string, name: string): string {
  return `${alias}.${identifier(name)}`
}

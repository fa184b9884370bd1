import type { Engine } from '../engine/duckdb.ts'
import { readEngineError } from '../engine/engine-error.ts'
import type { Column } from '../engine/facts.ts'
import type { Failure } from '../engine/failure.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { columnOf } from './admitted.ts'
import type { FileKind, Layout, SourceColumn } from './file-kinds.ts'
import { keyType } from './key-types.ts'
import { missingColumn, otherType } from './misfit-columns.ts'
import { contract, type FoundSource, requireFetched, type SourceFile } from './sources.ts'
import { widerType } from './widening.ts'

export interface Schema {
  /** Columns of the files and keys of the folders, types as DuckDB names them: the widest of all files. */
  columns: SourceColumn[]
  /** What each file has, by its path. */
  layouts: Map<string, Layout>
  /** Columns that cannot be read from every file, and why. Who reads none of them need not care. */
  misfits: { column: SourceColumn; failure: Failure }[]
}

/** The type of a column that no file has, and that the source calls optional. */
export const UNTYPED = '"NULL"'

/** What TIMESTAMP_NS reaches, 1677 to 2262, in microseconds since 1970. */
const NANOSECONDS = 9_223_372_036_854_775n

/**
 * Columns and types of a source, asked of DuckDB once for every kind of file among `files`. `lenders` are only asked
 * for the types of optional columns, which `files` do not have. Throws a contract Failure that names the file whose
 * schema cannot be read.
 */
export async function readSchema(
  engine: Engine,
  found: FoundSource,
  files: SourceFile[],
  lenders: SourceFile[] = [],
): Promise<Schema> {
  const kinds = await kindsOf(engine, found, files)
  const lent = await kindsOf(engine, found, lenders)
  const optional = found.source.optional ?? []
  const schema: Schema = {
    columns: [],
    layouts: new Map(kinds.flatMap(({ files, layout }) => files.map(({ path }) => [path, layout]))),
    misfits: [],
  }
  for (const name of namesOf(kinds, found.hiveKeys)) {
    const { column, failure } = await unify(engine, found, kinds, name)
    const isOptional = optional.some((each) => each.toLowerCase() === name.toLowerCase())
    const refusal = failure ?? (isOptional ? undefined : missingColumn(found.name, column, kinds))
    schema.columns.push(column)
    if (refusal !== undefined) schema.misfits.push({ column, failure: refusal })
  }
  for (const name of optional.filter((each) => columnNamed(schema.columns, each) === undefined)) {
    const from = lent.flatMap(({ columns }) => columnNamed(columns, name) ?? [])[0]
    schema.columns.push({ name, type: from?.type ?? UNTYPED, isKey: false, from: '' })
  }
  for (const name of found.hiveKeys) {
    const { type, failure } = keyType(found, name)
    const column = { name, type, isKey: true, from: files[0]?.shown ?? '' }
    schema.columns.push(column)
    if (failure !== undefined) schema.misfits.push({ column, failure })
  }
  return schema
}

/** The column of that name, whatever its case. */
export function columnNamed<C extends Column>(columns: C[], name: string): C | undefined {
  return (
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  )
}

async function kindsOf(engine: Engine, found: FoundSource, files: SourceFile[]): Promise<FileKind[]> {
  const kinds = new Map<string, FileKind>()
  for (const file of files) {
    const { columns } = file.footer
    const key = columns.map(({ name, signature, isVoid }) => `${name}\n${signature}\n${isVoid}`).join('\n\n')
    const same = kinds.get(key)
    if (same === undefined) kinds.set(key, await describeFile(engine, found, file))
    else same.files.push(file)
  }
  return [...kinds.values()]
}

async function describeFile(engine: Engine, found: FoundSource, file: SourceFile): Promise<FileKind> {
  try {
    const rows = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(file.opened)}`)
    const columns = rows.map((row, index) => ({
      name: String(row.column_name),
      type: String(row.column_type),
      isVoid: file.footer.columns[index]?.isVoid ?? false,
    }))
    const layout = new Map(columns.map(({ name, type, isVoid }) => [name.toLowerCase(), { type, isVoid }]))
    return { files: [file], columns, layout }
  } catch (cause) {
    throw contract(
      found.name,
      file.shown,
      `its schema cannot be read (${readEngineError(cause)?.message ?? String(cause)})`,
      cause,
    )
  }
}

/** Names of columns as they are first written; a folder's key hides the column of its name. */
function namesOf(kinds: FileKind[], hiveKeys: string[]): string[] {
  const names = new Map<string, string>()
  for (const { name } of kinds.flatMap(({ columns }) => columns))
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name)
  for (const key of hiveKeys) names.delete(key.toLowerCase())
  return [...names.values()]
}

async function unify(
  engine: Engine,
  found: FoundSource,
  kinds: FileKind[],
  name: string,
): Promise<{ column: SourceColumn; failure: Failure | undefined }> {
  const having = kinds.flatMap((kind) => {
    const own = kind.columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
    return own === undefined ? [] : [{ ...own, kind, shown: kind.files[0]?.shown ?? '' }]
  })
  const valued = having.filter(({ isVoid }) => !isVoid)
  const [first, ...others] = valued.length > 0 ? valued : having.slice(0, 1)
  const column = { name, type: first?.type ?? UNTYPED, isKey: false, from: first?.shown ?? '' }
  for (const { type, shown } of others) {
    const wider = widerType(column.type, type)
    if (wider === undefined) return { column, failure: otherType(found.name, column, { type, shown }) }
    if (wider !== column.type) Object.assign(column, { type: wider, from: shown })
  }
  const far = column.type === 'TIMESTAMP_NS' ? valued.filter(({ type, kind }) => isFar(type, kind, name)) : []
  if (far.length > 0) {
    const fine = valued.filter(({ type }) => type === 'TIMESTAMP_NS').flatMap(({ kind }) => kind.files)
    if (!(await hasRemainder(engine, fine, name))) column.type = 'TIMESTAMP'
    else
      return {
        column,
        failure: otherType(found.name, column, { type: 'TIMESTAMP', shown: far[0]?.shown ?? '' }),
      }
  }
  return { column, failure: undefined }
}

/** Microseconds that nanoseconds may not reach, as `9999-12-31` for never. */
function isFar(type: string, { files }: FileKind, name: string): boolean {
  if (type !== 'TIMESTAMP') return false
  return files.some((file) => {
    const range = columnOf(file, name)?.range
    return range === undefined || range.min < -NANOSECONDS || range.max > NANOSECONDS
  })
}

/** True where microseconds would lose something: one column of some files is read. */
export async function hasRemainder(engine: Engine, files: SourceFile[], name: string): Promise<boolean> {
  requireFetched(files)
  const column = identifier(name)
  const { finer } = await engine.row(
    `SELECT coalesce(bool_or(epoch_ns(${column}) % 1000 <> 0), false) AS finer FROM ${parquet(files.map(({ opened }) => opened))}`,
  )
  return finer === true
}

export function quoted(alias: string, name: string): string {
  return `${alias}.${identifier(name)}`
}

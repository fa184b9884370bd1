import { createHash, randomUUID } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { version as engineVersion } from '@duckdb/node-api'
import { privateFolder } from '../../project/files/private-folder.ts'
import type { Source } from '../../project/project.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { readEngineError } from '../engine/engine-error.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { checkFeatureSql } from '../sql/check-sql.ts'
import { withoutSemicolon } from '../sql/tokens.ts'
import { type FoundFile, HIVE_NULL, keyFolders } from './glob.ts'

/** What `select` reads its file by: its columns, and the keys of its folders as text. */
const RAW = 'raw'
/** So many conversions of one file are kept: one for each definition, and those of files that are written again. */
const KEPT = 8

/** True where what a source's files hold is not read as it is: text, or a `select` over them. */
export function isConverted({ format = 'parquet', select }: Source): boolean {
  return format !== 'parquet' || select !== undefined
}

/** The source over a Parquet file that holds the rows its own files come to. */
export function asParquet(source: Source, path: string): Source {
  const { format: _f, types: _t, delimiter: _d, select: _s, ...rest } = source
  return { ...rest, path }
}

/**
 * Converts one file of a source to Parquet, as `format`, `types` and `select` say, and returns its path. Each file is
 * converted by itself, once: the copy is kept in `.nightshift/converted` until the file or the definition changes, under
 * the `key=value` folders of its path. About as long as DuckDB takes to read and write the file. Throws contract Failures: of
 * the source where `select` is refused, of the file where it cannot be converted.
 */
export async function convertFile(
  root: string,
  name: string,
  source: Source,
  file: FoundFile & { shown: string; keys: Map<string, string> },
): Promise<string> {
  const { format, types, delimiter, select } = source
  const hash = (of: unknown[]) => createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 24)
  const own = join(convertedFolder(root), hash([file.path]))
  const definition = [1, engineVersion(), format, types, delimiter, select]
  const copy = join(own, hash([file.size, file.modified, file.inode, definition]))
  const target = join(copy, ...keyFolders(file), 'rows.parquet')
  if (existsSync(target)) return target
  await mkdir(own, { recursive: true, mode: 0o700 })
  const making = join(own, `.${randomUUID()}`)
  await mkdir(join(making, ...keyFolders(file)), { recursive: true })
  const engine = await openEngine({
    readable: [realpathSync(file.path)],
    writable: [realpathSync(making)],
    temp: making,
    threads: 2,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    await write(engine, name, source, file, join(realpathSync(making), ...keyFolders(file), 'rows.parquet'))
    // Another process may have been faster: its copy is the same.
    await rename(making, copy).catch((error: unknown) => {
      if (!existsSync(target)) throw error
    })
    await writeFile(join(own, 'origin'), file.path)
  } finally {
    engine.close()
    await rm(making, { recursive: true, force: true })
  }
  await sweep(own)
  return target
}

async function write(
  engine: Engine,
  name: string,
  source: Source,
  file: { path: string; shown: string; keys: Map<string, string> },
  target: string,
): Promise<void> {
  const { select = `SELECT * FROM ${RAW}` } = source
  const checked = await checkFeatureSql(engine, select, {
    file: `source ${name}: select`,
    declaredSources: [RAW],
    reads: 'files of a source',
    parameters: [],
  })
  const [refused] = checked.problems.filter(({ severity }) => severity === 'error')
  if (refused !== undefined) {
    const place = refused.line === undefined ? '' : ` (line ${refused.line}, column ${refused.column})`
    throw new Failure('contract', `source ${name}: select${place}: ${refused.message}`, {
      evidence: { source: name, field: 'select' },
    })
  }
  try {
    const raw = rawSql(source, realpathSync(file.path))
    const own = await columnsOf(engine, raw)
    const keys = [...file.keys].filter(([key]) => !own.has(key.toLowerCase()))
    const asText = keys.map(
      ([key, value]) => `${value === HIVE_NULL ? 'NULL' : literal(value)}::VARCHAR AS ${identifier(key)}`,
    )
    await engine.run(`CREATE TEMP VIEW ${RAW} AS SELECT ${['*', ...asText].join(', ')} FROM (${raw})`)
    const selected = `(${withoutSemicolon(select)}\n)`
    // Keys come from the folders, with the types that those of all files have.
    const returned = keys.length === 0 ? new Set() : await columnsOf(engine, `SELECT * FROM ${selected}`)
    const twice = keys.flatMap(([key]) => (returned.has(key.toLowerCase()) ? identifier(key) : []))
    const columns = twice.length === 0 ? '*' : `* EXCLUDE (${twice.join(', ')})`
    await engine.run(
      `COPY (SELECT ${columns} FROM ${selected}) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`,
    )
  } catch (error) {
    const value = await valueAtFault(engine, source, realpathSync(file.path))
    const words = value ?? inWords(readEngineError(error)?.message ?? String(error))
    // A name that the file does not have is no matter of waiting for the file.
    const isNamed = readEngineError(error)?.type === 'Binder'
    throw new Failure(
      'contract',
      words.replaceAll(realpathSync(file.path), () => file.shown),
      { cause: error, evidence: { isNamed } },
    )
  }
}

/** Names of the columns of a query, in lower case. */
async function columnsOf(engine: Engine, sql: string): Promise<Set<string>> {
  const rows = await engine.rows(`SELECT column_name FROM (DESCRIBE ${sql})`)
  return new Set(rows.map((row) => String(row.column_name).toLowerCase()))
}

/** The rows of a file as they are: every column of a CSV file is text but for its declared type. */
function rawSql(source: Source, path: string): string {
  const { types = {} } = source
  const cast = Object.entries(types).map(
    ([column, type]) => `CAST(${identifier(column)} AS ${type}) AS ${identifier(column)}`,
  )
  return `SELECT *${cast.length === 0 ? '' : ` REPLACE (${cast.join(', ')})`} FROM ${textOf(source, path)}`
}

function textOf({ format, delimiter }: Source, path: string): string {
  if (format === 'csv') {
    const sign = delimiter === undefined ? '' : `, delim = ${literal(delimiter)}`
    return `read_csv(${literal(path)}, header = true, all_varchar = true, hive_partitioning = false${sign})`
  }
  if (format === 'json')
    return `read_json(${literal(path)}, sample_size = -1, union_by_name = true, hive_partitioning = false)`
  return parquet(path)
}

/** What the engine says of a file, with what to do about it where that is known. */
function inWords(message: string): string {
  return /not utf-8 encoded/i.test(message)
    ? 'it is not written in UTF-8. Convert it, such as with `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW` (of a file from Excel in western Europe; UTF-16 of one that is twice as long as its text)'
    : message
}

/** The first value that is not of its declared type, as a sentence; undefined where it is not the cause. */
async function valueAtFault(engine: Engine, source: Source, path: string): Promise<string | undefined> {
  for (const [column, type] of Object.entries(source.types ?? {})) {
    const name = identifier(column)
    try {
      const [row] = await engine.rows(
        `SELECT ${name}::VARCHAR AS value, count(*) OVER () AS n FROM ${textOf(source, path)} WHERE ${name} IS NOT NULL AND TRY_CAST(${name} AS ${type}) IS NULL LIMIT 1`,
      )
      if (row !== undefined)
        return `column ${column}: expected values of ${type} (types), got: '${row.value}', in ${row.n} ${row.n === 1n ? 'row' : 'rows'}. Take it out of types and read it in select, such as SELECT * REPLACE (try_cast(${column} AS ${type}) AS ${column}) FROM ${RAW}`
    } catch (error) {
      const { type: kind, message } = readEngineError(error) ?? { type: '', message: '' }
      if (kind === 'Binder') return `types names ${column}, which the file does not have: ${message}`
    }
  }
  return undefined
}

/** In the project's private folder; where that cannot be written, in one of this user's for temporary files. */
function convertedFolder(root: string): string {
  try {
    return privateFolder(root, 'converted')
  } catch {
    return join(tmpdir(), `nightshift-converted-${userInfo().uid}`)
  }
}

/** Removes what later conversions of a file have taken the place of, and the copies of files that are gone. */
async function sweep(own: string): Promise<void> {
  const copies: { path: string; at: number }[] = []
  for (const name of await readdir(own)) {
    if (name === 'origin' || name.startsWith('.')) continue
    const path = join(own, name)
    copies.push({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })
  }
  const old = copies.sort((a, b) => b.at - a.at).slice(KEPT)
  for (const { path } of old) await rm(path, { recursive: true, force: true })
  const all = dirname(own)
  for (const name of await readdir(all)) {
    const origin = await readFile(join(all, name, 'origin'), 'utf8').catch(() => undefined)
    if (origin !== undefined && !existsSync(origin))
      await rm(join(all, name), { recursive: true, force: true })
  }
}

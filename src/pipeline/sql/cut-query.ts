import { DuckDBTimestampValue } from '@duckdb/node-api'
import type { Problem } from '../../project/files/problem.ts'
import type { KeyTypes, View } from '../../project/project.ts'
import type { Cut } from '../cut/cut.ts'
import type { SourceTable } from '../cut/cut-view.ts'
import { isTimestamp } from '../cut/time-column.ts'
import { findWindows } from '../cut/windows.ts'
import { blame, type Suspect } from '../engine/blame.ts'
import { type Engine, openUnsealed, type Values } from '../engine/duckdb.ts'
import type { InputFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { filesIn, type Share } from '../shards/buckets.ts'
import { expectPinned, type PinnedFile } from '../shards/pinned-files.ts'
import { columnOf } from '../sources/admitted.ts'
import { openPrivately } from '../sources/private-files.ts'
import { readSchema, type Schema, UNTYPED } from '../sources/source-columns.ts'
import {
  type CutSource,
  createView,
  cutSources,
  prepareTable,
  readablePaths,
} from '../sources/source-tables.ts'
import { type BoundPlan, bindPlan, type ReadableTable } from './bound-plan.ts'
import { type CheckedSql, checkFeatureSql } from './check-sql.ts'
import { columnsRead } from './columns-read.ts'
import { strangersIn } from './opened-files.ts'
import { withoutSemicolon } from './tokens.ts'
import { findUnlike, problemIn } from './unlike-types.ts'

export interface CutQueryRequest {
  /** Absolute path of the project. */
  root: string
  /** Whose sources are read, and whose entity is a history's key where it names none. */
  view: Pick<View, 'entity' | 'sources'> & { keyTypes?: KeyTypes | undefined }
  sql: string
  /** Path of the SQL's file as problems name it. */
  file: string
  cut: Cut
  /** Wall times that the SQL may use as parameters, such as `as_of: '2026-11-22 00:00:00'`. */
  parameters: Record<string, string>
  /** Folder that may be written to, absolute and without symbolic links. */
  writable: string
  temp: string
  threads: number
  memoryLimit?: string | undefined
  /** Nothing is read but schemas, every source is empty, and SQL that is refused is the caller's to look at. */
  schemaOnly?: boolean
  /** Reads these files alone. */
  only?: InputFile[] | undefined
  /** Reads these files alone, as they were: a file that has changed or is gone since then fails the query. */
  pinned?: PinnedFile[] | undefined
  /** Reads the rows of some buckets alone. Schemas, types and newest snapshots are those of all files. */
  share?: Share | undefined
  /** Names of the sources that are looked for. Default: all that are declared. */
  sources?: string[] | undefined
}

/** SQL of a project over its sources as they are at a cut, in an engine of its own, ready to run. */
export interface CutQuery {
  engine: Engine
  /** The one SELECT, without a closing semicolon. Put a line break after it: it may end in a comment. */
  sql: string
  values: Values
  checked: CheckedSql
  sources: CutSource[]
  tables: SourceTable[]
  close(): void
}

/**
 * Opens features' or labels' SQL at a cut. Training sets, serving, backfills and parity all come through here, so
 * that they see the same. Throws late-data Failures for missing files, contract Failures for files, schemas and for
 * SQL that is refused (`evidence.problems`).
 */
export async function openQuery(request: CutQueryRequest): Promise<CutQuery> {
  const { root, view, cut, pinned } = request
  const only = request.only ?? pinned
  const found = await cutSources(root, view, cut, { only, names: request.sources })
  if (pinned !== undefined) expectPinned(found, pinned)
  const { engine, seal } = await openUnsealed({
    writable: [request.writable],
    temp: request.temp,
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    timezone: request.cut.timezone,
  })
  let release = () => {}
  const close = () => {
    engine.close()
    release()
  }
  const sql = withoutSemicolon(request.sql)
  try {
    const checked = await checkFeatureSql(engine, request.sql, {
      file: request.file,
      declaredSources: Object.keys(request.view.sources),
      columns: found.flatMap(({ files, found }) => [
        ...files.flatMap(({ footer }) => footer.columns.map(({ name }) => name)),
        ...found.hiveKeys,
      ]),
      parameters: Object.keys(request.parameters),
    })
    const named = openPrivately(found, request.temp, { ...request, reads: checked.names })
    release = named.release
    const { sources } = named
    await seal({ readable: readablePaths(sources), names: named.names })
    if (request.schemaOnly !== true) refuse(checked.problems)
    const values = Object.fromEntries(
      checked.parameters.map((name) => [name, timestamp(request.parameters[name] ?? '')]),
    )
    const windows =
      request.schemaOnly === true || checked.tree === undefined
        ? undefined
        : await findWindows(engine, checked.tree, checked.tables, values)
    const schemas = new Map<CutSource, Schema>()
    for (const source of sources)
      schemas.set(source, await readSchema(engine, source.found, source.files, source.lenders))
    const plan = isRefused(checked)
      ? undefined
      : await bindPlan(engine, sql, request.parameters, standIns(schemas))
    const unlike = plan === undefined ? [] : await findUnlike(engine, plan, untypedIn(schemas))
    checked.problems.push(...unlike.map((each) => problemIn(sql, request.file, each)))
    if (request.schemaOnly !== true) refuse(checked.problems)
    if (plan !== undefined) refuseStrangers(request, strangersIn(plan))
    const reads = readsOf(plan, checked, schemas)
    const tables: SourceTable[] = []
    for (const [source, schema] of schemas) {
      const table = await prepareTable(engine, source, schema, request.cut, {
        names: reads?.get(source.found.name.toLowerCase()) ?? checked.names,
        windows,
        schemaOnly: request.schemaOnly ?? false,
        share: request.share,
      })
      await createView(engine, table, request.cut)
      tables.push(table)
    }
    if (!isRefused(checked)) {
      refuseStrangers(request, namesIn(engine, sql))
      // SQL may bind to the files alone: a column without a value fits any call there. Binding to files is expensive.
      const late = plan === undefined ? await bindPlan(engine, sql, request.parameters, []) : undefined
      if (late !== undefined) refuseStrangers(request, strangersIn(late, new Set(readablePaths(sources))))
    }
    return {
      engine,
      sql,
      values,
      checked,
      sources,
      tables,
      close,
    }
  } catch (error) {
    close()
    throw await blame(error, suspectsOf(found, request.share), request)
  }
}

/**
 * DuckDB's own answer to what the SQL reads, in case something passed the check: the files in its plan, and the names
 * that are left when all sources are views. SQL that does not bind fails by itself.
 */
function refuseStrangers({ file }: CutQueryRequest, [stranger]: readonly string[]): void {
  if (stranger === undefined) return
  throw new Failure('contract', `${file}: expected the names of declared sources, got: ${stranger}`)
}

function namesIn(engine: Engine, sql: string): readonly string[] {
  try {
    return engine.connection.getTableNames(sql, false)
  } catch {
    return []
  }
}

/** Columns without a value in any file: any type fits them. */
function untypedIn(schemas: Map<CutSource, Schema>): Set<string> {
  return new Set(
    [...schemas.values()].flatMap(({ columns }) =>
      columns.filter(({ type }) => type === UNTYPED).map(({ name }) => name.toLowerCase()),
    ),
  )
}

/** Tables that stand in for the sources: each column has the type that the SQL sees. */
function standIns(schemas: Map<CutSource, Schema>): ReadableTable[] {
  return [...schemas].map(([{ found }, { columns }]) => ({
    name: found.name,
    columns: columns.map(({ name, type }) => ({
      name,
      type: isTimestamp(type) ? 'TIMESTAMP' : type === UNTYPED ? 'INTEGER' : type,
    })),
  }))
}

/**
 * Which columns the SQL reads, by its plan only where a column that has a name of the SQL's does not fit: undefined
 * where all that may be read can be.
 */
function readsOf(
  plan: BoundPlan | undefined,
  { names }: CheckedSql,
  schemas: Map<CutSource, Schema>,
): Map<string, Set<string>> | undefined {
  const doubtful = [...schemas].flatMap(([{ files }, { columns, misfits }]) => [
    ...misfits.map(({ column }) => column.name),
    ...columns
      .filter(({ name, isKey }) => isKey && files.some((file) => columnOf(file, name) !== undefined))
      .map(({ name }) => name),
  ])
  if (plan === undefined || !doubtful.some((name) => names === undefined || names.has(name.toLowerCase())))
    return undefined
  return columnsRead(
    plan,
    [...schemas.keys()].map(({ found }) => found.name),
  )
}

/** The files that can be at fault where DuckDB fails. */
export function suspectsOf(sources: CutSource[], share?: Share): Suspect[] {
  return sources.flatMap((source) =>
    (share === undefined ? source.files : filesIn(source, share)).map(({ parquet, shown }) => ({
      source: source.found.name,
      path: parquet,
      shown,
    })),
  )
}

export function isRefused({ problems }: CheckedSql): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

/** Throws a contract Failure that says all errors among the problems, with file, line and column. */
export function refuse(problems: Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const lines = errors.map(
    ({ file, line, column, message }) =>
      `${[file, line, column].filter((part) => part !== undefined).join(':')}: ${message}`,
  )
  throw new Failure('contract', lines.join('; '), { evidence: { problems: errors } })
}

/** `2026-11-22 00:00:00` as DuckDB's TIMESTAMP. */
export function timestamp(local: string): DuckDBTimestampValue {
  const ms = Date.parse(`${local.replace(' ', 'T')}Z`)
  if (Number.isNaN(ms))
    throw new Failure('bug', `expected a wall time such as 2026-11-22 00:00:00, got: ${local}`)
  return new DuckDBTimestampValue(BigInt(ms) * 1000n)
}

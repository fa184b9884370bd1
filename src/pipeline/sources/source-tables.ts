import type { KeyTypes, Source, View } from '../../project/project.ts'
import { traitsOf, withKey } from '../../project/source-kinds.ts'
import type { Cut } from '../cut/cut.ts'
import { cutViewSql, rowsBefore, type SourceTable, timeOfTable } from '../cut/cut-view.ts'
import { isTimestamp, rawLiteral, rawNumber } from '../cut/time-column.ts'
import { ALL_TIME } from '../cut/wall-time.ts'
import type { Windows } from '../cut/windows.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { InputFile } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'
import { filesIn, isBucketed, type Share } from '../shards/buckets.ts'
import { type Admitted, admit, columnOf, isKeyed, rangeOver } from './admitted.ts'
import { checkDeclared, declaredColumns } from './declared-columns.ts'
import type { SourceColumn } from './file-kinds.ts'
import type { Range } from './footers.ts'
import { refuseMasked } from './masked-keys.ts'
import { relation } from './relation.ts'
import { quoted, type Schema } from './source-columns.ts'
import { type FoundSource, findSource, missing, requireFetched, type SourceFile } from './sources.ts'

/** A source with the files that can matter at a cut. */
export interface CutSource {
  found: FoundSource
  admitted: Admitted
  /** The files to open: the admitted, or one for its schema where there are none. */
  files: SourceFile[]
  /** Others that say the types of optional columns, which `files` do not have. */
  lenders: SourceFile[]
}

/**
 * Finds the files of a view's sources (`names`: of these alone), or those among them that `only` names. Throws
 * late-data and contract Failures, the first that it meets.
 */
export async function cutSources(
  root: string,
  view: Pick<View, 'sources' | 'entity'> & { keyTypes?: KeyTypes | undefined },
  cut: Cut,
  {
    only,
    names,
  }: { only?: Pick<InputFile, 'source' | 'path'>[] | undefined; names?: string[] | undefined } = {},
): Promise<CutSource[]> {
  const wanted = Object.entries(view.sources).filter(([name]) => names?.includes(name) ?? true)
  const cutOne = async ([name, source]: [string, Source]): Promise<CutSource> => {
    const all = await findSource(root, name, withKey(source, view.entity), cut.timezone)
    const named = new Set(only?.filter(({ source }) => source === name).map(({ path }) => path))
    const among = <F extends { shown: string }>(files: F[]) =>
      only === undefined ? files : files.filter(({ shown }) => named.has(shown))
    const some = among(all.files)
    const found = {
      ...all,
      decidedKeys: view.keyTypes?.[name],
      files: some.length === 0 ? all.files : some,
      unreadable: among(all.unreadable),
    }
    const admitted = admit(found, cut)
    if (found.files.length === 0) throw missing(root, name, source)
    const files = admitted.files.length > 0 ? admitted.files : found.files.slice(-1)
    return { found, admitted, files, lenders: lendersOf(found, files) }
  }
  const sources: CutSource[] = []
  for (const each of wanted) sources.push(await cutOne(each))
  return sources
}

function lendersOf({ source, files: all }: FoundSource, files: SourceFile[]): SourceFile[] {
  const has = (file: SourceFile, name: string) => columnOf(file, name)?.isVoid === false
  const lenders = (source.optional ?? [])
    .filter((name) => !files.some((file) => columnOf(file, name) !== undefined))
    .flatMap((name) => all.findLast((file) => has(file, name)) ?? [])
  return [...new Set(lenders)]
}

/** Absolute paths that an engine has to be allowed to read. */
export function readablePaths(sources: CutSource[]): string[] {
  return [
    ...new Set(sources.flatMap(({ files, lenders }) => [...files, ...lenders].map(({ opened }) => opened))),
  ]
}

/**
 * Prepares a source for a query that reads these columns (`names` in lower case; undefined: all of them).
 * With `schemaOnly` no rows are read, and the source has none. Throws contract Failures about columns that the query
 * reads, or the declaration names, and that do not fit.
 */
export async function prepareTable(
  engine: Engine,
  source: CutSource,
  schema: Schema,
  cut: Cut,
  {
    names,
    windows,
    schemaOnly = false,
    share,
  }: {
    names: ReadonlySet<string> | undefined
    windows?: Windows | undefined
    schemaOnly?: boolean
    share?: Share | undefined
  },
): Promise<SourceTable> {
  const { found } = source
  const own = filesIn(source, share)
  // Its schema is needed even where no row is.
  const files = own.length > 0 ? own : source.files.slice(0, 1)
  const read = schema.columns.filter(({ name }) => names === undefined || names.has(name.toLowerCase()))
  checkDeclared(found, schema)
  const needed = new Set([...read, ...declaredColumns(found, schema)])
  const misfit = schema.misfits.find(({ column }) => needed.has(column))
  if (misfit !== undefined) throw misfit.failure
  for (const column of needed) if (column.isKey) await refuseMasked(engine, found, files, column)
  const fitting = schema.columns.find((column) => !schema.misfits.some((each) => each.column === column))
  // `SELECT count(*)` reads no column, and a view has to have one.
  const columns = read.length > 0 || fitting === undefined ? read : [fitting]
  const table: SourceTable = {
    found,
    files,
    schema,
    columns,
    ranges: new Map(),
    snapshot: 'none',
    windows: windows?.get(found.name) ?? new Map(),
  }
  if (schemaOnly || own.length === 0) return table
  const ranges = await timeRanges(engine, table, files)
  const shared = isBucketed(found) ? share?.snapshots[found.name] : undefined
  const snapshot =
    shared === undefined
      ? await newestSnapshot(engine, { ...table, ranges, snapshot: undefined }, cut)
      : BigInt(shared)
  return { ...table, ranges, snapshot }
}

/** Makes the source readable under its name, cut. */
export async function createView(engine: Engine, table: SourceTable, cut: Cut): Promise<void> {
  await engine.run(`CREATE OR REPLACE TEMP VIEW ${identifier(table.found.name)} AS ${cutViewSql(table, cut)}`)
}

/**
 * Newest time of the source's rows that can be seen at the cut: raw, microseconds or days; undefined without rows.
 * With `since` (raw) files and row groups that are wholly older are not opened.
 */
export async function newestVisible(
  engine: Engine,
  table: SourceTable,
  cut: Cut,
  since?: bigint,
): Promise<bigint | undefined> {
  const time = timeOfTable(table)
  if (time === undefined) return undefined
  const files =
    since === undefined ? table.files : table.files.filter((file) => mayReach(file, time.name, since))
  if (files.length === 0) return undefined
  requireFetched(files)
  const column = quoted('s', time.name)
  const only = since === undefined ? '' : ` AND ${column} >= ${rawLiteral(time.type, since)}`
  const { newest } = await engine.row(
    `SELECT ${rawNumber(`max(${column})`, time.type)} AS newest FROM ${rowsBefore({ ...table, files }, cut)}${only}`,
  )
  return typeof newest === 'bigint' ? newest : undefined
}

function mayReach(file: SourceFile, name: string, since: bigint): boolean {
  const max = columnOf(file, name)?.range?.max
  return max === undefined || max >= since
}

/** Statistics give them for nothing; of files that have none (INT96, say) the columns are read. */
async function timeRanges(
  engine: Engine,
  table: SourceTable,
  files: SourceFile[],
): Promise<Map<string, Range | undefined>> {
  const ranges = new Map<string, Range | undefined>()
  const unknown: SourceColumn[] = []
  for (const column of table.columns) {
    if (column.isKey || !isTimestamp(column.type)) continue
    const range = rangeOver(files, column.name)
    ranges.set(column.name, range)
    if (range === undefined && files.some(({ footer }) => footer.rows > 0)) unknown.push(column)
  }
  if (unknown.length === 0) return ranges
  const bounds = unknown.map(({ name, type }, index) => {
    const sql = type === 'TIMESTAMP WITH TIME ZONE' ? quoted('s', name) : `${quoted('s', name)}::TIMESTAMP`
    return `epoch_us(min(${sql}) FILTER (isfinite(${sql}))) AS min${index}, epoch_us(max(${sql}) FILTER (isfinite(${sql}))) AS max${index}, coalesce(bool_or(NOT isfinite(${sql})), false) AS infinite${index}`
  })
  const row = await engine.row(`SELECT ${bounds.join(', ')} FROM ${relation(table)} AS s`)
  unknown.forEach(({ name }, index) => {
    const [min, max] = [row[`min${index}`], row[`max${index}`]]
    const known = typeof min === 'bigint' && typeof max === 'bigint' ? { min, max } : { min: 0n, max: 0n }
    ranges.set(name, row[`infinite${index}`] === true ? { min: known.min, max: ALL_TIME.max } : known)
  })
  return ranges
}

async function newestSnapshot(
  engine: Engine,
  table: SourceTable,
  cut: Cut,
): Promise<SourceTable['snapshot']> {
  if (traitsOf(table.found.source).rows !== 'newest-time') return undefined
  if (isKeyed(table.found)) return 'keyed'
  return (await newestVisible(engine, table, cut)) ?? 'none'
}

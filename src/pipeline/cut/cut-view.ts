import { traitsOf } from '../../project/source-kinds.ts'
import { identifier } from '../engine/quote.ts'
import { columnOf, timeName } from '../sources/admitted.ts'
import type { SourceColumn } from '../sources/file-kinds.ts'
import type { Range } from '../sources/footers.ts'
import { keySql, type Relation, relation } from '../sources/relation.ts'
import { columnNamed, quoted } from '../sources/source-columns.ts'
import type { SourceFile } from '../sources/sources.ts'
import { arrivalBefore, type Cut } from './cut.ts'
import { timeColumn } from './source-zones.ts'
import {
  isBefore,
  isTimestamp,
  isWithin,
  localSql,
  rawLimit,
  rawLiteral,
  rawWindow,
  type TimeColumn,
} from './time-column.ts'
import { ALL_TIME } from './wall-time.ts'

/** A source ready to be read at a cut: all that its view's SQL is made of. */
export interface SourceTable extends Relation {
  /** Bounds of the raw values of timestamp columns, by name. */
  ranges: Map<string, Range | undefined>
  /**
   * Of snapshots: the raw value of the newest before the cut where it is a column, `keyed` where the files say it,
   * none.
   */
  snapshot: bigint | 'keyed' | 'none' | undefined
  /** SQL over alias `s` that the rows have to meet besides. */
  only?: string | undefined
  /** Local time that the query reads of its columns by its own WHERE, by name in lower case (windows.ts). */
  windows: Map<string, Range>
}

/**
 * The SELECT behind a source's name, as `features.sql` sees it at a cut (design, section 4):
 *
 * events     rows before the cut that had arrived in time
 * history    of each key the row with the latest start before the cut, if it is valid there: its end is at the cut or
 *            later, and reads null, since it was not known. A row that ends exactly at the cut is valid, because the
 *            row that follows it begins there and is not seen. Of rows with one start the one that arrived last
 *            counts, then the one that ends last, then the greatest in its other columns: never the order of rows
 * snapshots  the rows of the newest snapshot before the cut
 * static     everything
 */
export function cutViewSql(table: SourceTable, cut: Cut): string {
  const from = `${relation({ ...table, files: filesInWindows(table, cut) })} AS s`
  const where = [...conditions(table, cut), ...windowConditions(table, cut)]
  const filter = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
  if (!isOfKey(table) || cut.history === 'all') {
    const columns = table.columns.map(
      (column) => `${local(table, cut, column, known(table, cut, column))} AS ${identifier(column.name)}`,
    )
    return `SELECT ${columns.join(', ')} FROM ${from}${filter}`
  }
  return latestRows(table, cut, `${from}${filter}`)
}

/** SQL after FROM of the rows before the cut, of snapshots of them all: for freshness and for the newest snapshot. */
export function rowsBefore(table: SourceTable, cut: Cut): string {
  return fromWhere(table, conditions({ ...table, snapshot: undefined }, cut))
}

/** SQL after FROM of the rows that are seen at the cut, of a history all of each key, under alias `s`. */
export function rowsSeen(table: SourceTable, cut: Cut): string {
  return fromWhere(table, conditions(table, cut))
}

/**
 * SQL of the rows that are seen at the cut as they lie in the files, of a history all of each key: for their hash.
 */
export function visibleRows(table: SourceTable, cut: Cut): { columns: string[]; from: string } {
  return {
    columns: hashedColumns(table).map((column) => known(table, cut, column)),
    from: rowsSeen(table, cut),
  }
}

/** What decides a source's content: the columns that the query reads, of a history also those that pick its rows. */
export function hashedColumns(table: SourceTable): SourceColumn[] {
  const { key } = traitsOf(table.found.source)
  const deciding = isOfKey(table)
    ? [...key.flatMap((name) => columnNamed(table.schema.columns, name) ?? []), ...orderOfRows(table)]
    : []
  return [...new Set([...table.columns, ...deciding])].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** One row of each key is seen, so that the rows of a key decide together which it is. */
function isOfKey({ found: { source } }: SourceTable): boolean {
  return traitsOf(source).rows === 'latest-of-key'
}

/** The declared columns by which the latest row of a key is picked. */
function orderOfRows({ found: { source }, schema }: SourceTable): SourceColumn[] {
  const { time, arrival, end } = traitsOf(source)
  return [time, arrival, end].flatMap((each) =>
    each === undefined ? [] : (columnNamed(schema.columns, each.name) ?? []),
  )
}

function fromWhere(table: SourceTable, where: string[]): string {
  return `${relation(table)} AS s${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`
}

/** The source's declared time as a column of its files; undefined where it has none, or a hive key. */
export function timeOfTable({
  found,
  schema,
}: Pick<SourceTable, 'found' | 'schema'>): (TimeColumn & { name: string }) | undefined {
  const name = timeName(found.source)
  const column = name === undefined ? undefined : columnNamed(schema.columns, name)
  return column === undefined || column.isKey
    ? undefined
    : { name: column.name, ...timeColumn(found.zones, column) }
}

function conditions(table: SourceTable, cut: Cut): string[] {
  const where: string[] = []
  const time = timeOfTable(table)
  if (table.snapshot === 'none') return ['false']
  if (time !== undefined && typeof table.snapshot === 'bigint') {
    where.push(`${quoted('s', time.name)} = ${rawLiteral(time.type, table.snapshot)}`)
  } else if (time !== undefined) where.push(isBefore(quoted('s', time.name), time, cut.at))
  if (table.only !== undefined) where.push(table.only)
  const arrived = arrivalBefore(table.found.source, cut)
  if (arrived !== undefined) {
    const column = columnNamed(table.schema.columns, arrived.name)
    if (column !== undefined)
      where.push(isBefore(quoted('s', column.name), timeColumn(table.found.zones, column), arrived.before))
  }
  return where
}

function windowConditions(table: SourceTable, cut: Cut): string[] {
  return table.columns.flatMap((column) => {
    const window = windowOf(table, cut, column)
    return window === undefined ? [] : isWithin(quoted('s', column.name), column.type, window)
  })
}

/**
 * Raw bounds that the query itself puts on a column; undefined where DuckDB sees them in the query.
 */
function windowOf(table: SourceTable, cut: Cut, column: SourceColumn): Range | undefined {
  const window = boundsOf(table, column)
  return (
    window &&
    rawWindow(timeColumn(table.found.zones, column), cut.timezone, table.ranges.get(column.name), window)
  )
}

/** Local time that the query reads of a column. Of a history source a row that it leaves out may hide an older. */
function boundsOf(table: SourceTable, column: SourceColumn): Range | undefined {
  return isOfKey(table) || column.isKey || !isTimestamp(column.type)
    ? undefined
    : table.windows.get(column.name.toLowerCase())
}

/**
 * The files that can hold a row of the query's windows, at least one. Of years of daily files that is a few weeks: DuckDB
 * would open each of the others to find by its footer, as we have, that it needs none of its rows.
 */
function filesInWindows(table: SourceTable, cut: Cut): SourceFile[] {
  const windows = table.columns.flatMap((column) => {
    const window = windowOf(table, cut, column) ?? boundsOf(table, column)
    return window === undefined ? [] : [{ column, window }]
  })
  const within = table.files.filter((file) =>
    windows.every(({ column: { name, type }, window }) => {
      const own = table.schema.layouts.get(file.path)?.get(name.toLowerCase())
      const range = own?.type === type ? columnOf(file, name)?.range : undefined
      return range === undefined || (range.max >= window.min && range.min <= window.max)
    }),
  )
  return within.length > 0 ? within : table.files.slice(0, 1)
}

/** A column as in the file, except that an end after the cut reads null, because it was not known. */
function known(table: SourceTable, cut: Cut, column: SourceColumn): string {
  const sql = quoted('s', column.name)
  if (column.isKey) return keySql(sql, column.type)
  return isEnd(table, column)
    ? `CASE WHEN ${isBefore(sql, timeColumn(table.found.zones, column), cut.at)} THEN ${sql} END`
    : sql
}

/** A column as the query sees it, from SQL that gives what `known` says: timestamps in the project's zone. */
function local(table: SourceTable, cut: Cut, column: SourceColumn, sql: string): string {
  if (column.isKey || !isTimestamp(column.type)) return sql
  const time = timeColumn(table.found.zones, column)
  return localSql(sql, time, cut.timezone, seenRange(table, cut, column, time))
}

/**
 * What is left of a column's range by the cut and by the query's window: the fewer changes of clocks, the cheaper.
 */
function seenRange(table: SourceTable, cut: Cut, column: SourceColumn, time: TimeColumn): Range | undefined {
  const range = table.ranges.get(column.name)
  if (range === undefined) return undefined
  const window = windowOf(table, cut, column) ?? ALL_TIME
  const isCut = column.name === timeOfTable(table)?.name || isEnd(table, column)
  const limit = isCut ? rawLimit(time, cut.at) : ALL_TIME.max
  const max = [window.max, limit].reduce((a, b) => (b < a ? b : a), range.max)
  const min = window.min > range.min ? window.min : range.min
  return { min: min < max ? min : max, max }
}

function isEnd({ found: { source } }: SourceTable, column: SourceColumn): boolean {
  return traitsOf(source).end?.name.toLowerCase() === column.name.toLowerCase()
}

/**
 * One aggregate for each key; the columns travel as one struct, so that all are of the same row. Comparing every
 * column that the query reads costs a tenth more than comparing the start alone, and makes ties harmless.
 */
function latestRows(table: SourceTable, cut: Cut, from: string): string {
  const { key, end: declaredEnd } = traitsOf(table.found.source)
  const all = [...new Set([...orderOfRows(table), ...table.columns])]
  const member = (column: SourceColumn) => `c${all.indexOf(column)}`
  const row = `struct_pack(${all.map((column) => `${member(column)} := ${known(table, cut, column)}`).join(', ')})`
  const keys = key.map((name) => {
    const column = columnNamed(table.schema.columns, name)
    return column === undefined ? quoted('s', name) : known(table, cut, column)
  })
  const picked = table.columns.map(
    (column) => `${local(table, cut, column, `r.${member(column)}`)} AS ${identifier(column.name)}`,
  )
  const end = declaredEnd === undefined ? undefined : columnNamed(table.schema.columns, declaredEnd.name)
  const valid = end === undefined ? '' : ` WHERE r.${member(end)} IS NULL`
  return `SELECT ${picked.join(', ')} FROM (SELECT max(${row}) AS r FROM ${from} GROUP BY ${keys.join(', ')})${valid}`
}

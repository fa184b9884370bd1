import { realpath } from 'node:fs/promises'
import type { KeyTypes, View } from '../../project/project.ts'
import { type Cut, featureCut, LAST } from '../cut/cut.ts'
import { timeColumn } from '../cut/source-zones.ts'
import { isTime } from '../cut/time-column.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { openFeatureQuery } from '../features/feature-query.ts'
import { declaredTimes, isKeyed, timeName } from '../sources/admitted.ts'
import type { SourceColumn } from '../sources/file-kinds.ts'
import { keySql, relation } from '../sources/relation.ts'
import { columnNamed, quoted, readSchema, type Schema } from '../sources/source-columns.ts'
import { cutSources } from '../sources/source-tables.ts'
import { type FoundSource, requireFetched } from '../sources/sources.ts'
import { instantSql } from './instant.ts'

/** A source with all of its files, uncut. */
export interface Surveyed {
  found: FoundSource
  schema: Schema
  /** What stands after FROM; its rows have alias `s`. */
  from: string
  /** The declared time of its rows: SQL of an instant. Undefined for static sources, and where a key is no date. */
  time: { name: string; type: string; zone: string; sql: string } | undefined
  /** Time columns that the declaration does not name. */
  others: TimeOf[]
  /** True for columns that features.sql reads. */
  reads(column: string): boolean
}

export interface TimeOf {
  name: string
  type: string
  /** SQL of an instant. */
  sql: string
}

export interface Survey {
  engine: Engine
  sources: Surveyed[]
  close(): void
}

/**
 * Opens a view's sources as they lie in the files, which no query of the project can. Throws late-data and contract
 * Failures as `openQuery` does.
 */
export async function openSurvey(request: {
  root: string
  view: View
  timezone: string
  temp: string
  threads: number
}): Promise<Survey> {
  const { root, view, timezone, threads } = request
  const temp = await realpath(request.temp)
  const cut = featureCut(LAST, LAST.instant, timezone)
  const reads = await columnsRead(request, cut, temp)
  const sources = await cutSources(root, { ...view, keyTypes: reads.keyTypes }, cut)
  requireFetched(sources.flatMap(({ found }) => found.files))
  const engine = await openEngine({
    readable: [...new Set(sources.flatMap(({ found }) => found.files.map(({ parquet }) => parquet)))],
    writable: [temp],
    temp,
    threads,
    timezone: 'UTC',
  })
  try {
    const surveyed: Surveyed[] = []
    for (const { found } of sources) {
      const schema = fitting(await readSchema(engine, found, found.files))
      surveyed.push({
        found,
        schema,
        from: `${relation({ found, files: found.files, schema, columns: schema.columns })} AS s`,
        time: timeOf(found, schema),
        others: otherTimes(found, schema),
        reads: (column) => reads.tables.includes(found.name) && reads.column(column),
      })
    }
    return { engine, sources: surveyed, close: () => engine.close() }
  } catch (error) {
    engine.close()
    throw error
  }
}

/** Without the columns whose types differ: only a query that reads them has to be refused. */
function fitting(schema: Schema): Schema {
  const misfits = new Set(schema.misfits.map(({ column }) => column))
  return { ...schema, columns: schema.columns.filter((column) => !misfits.has(column)), misfits: [] }
}

async function columnsRead(
  { root, view, threads }: { root: string; view: View; threads: number },
  cut: Cut,
  temp: string,
): Promise<{ tables: string[]; keyTypes: KeyTypes; column(name: string): boolean }> {
  const query = await openFeatureQuery({
    root,
    view,
    asOf: LAST,
    cut,
    writable: temp,
    temp,
    threads,
    schemaOnly: true,
  })
  try {
    const { names, tables } = query.checked
    const keyTypes = Object.fromEntries(
      query.sources.map(({ found }) => [found.name, found.decidedKeys ?? {}]),
    )
    return { tables, keyTypes, column: (name) => names === undefined || names.has(name.toLowerCase()) }
  } finally {
    query.close()
  }
}

/** SQL of a column's value as the query would see it, but for zones. */
export function rawSql(column: SourceColumn): string {
  const sql = quoted('s', column.name)
  return column.isKey ? keySql(sql, column.type) : sql
}

function timeOf(found: FoundSource, schema: Schema): Surveyed['time'] {
  const name = timeName(found.source)
  const column = name === undefined ? undefined : columnNamed(schema.columns, name)
  if (column === undefined || !isTime(column.type)) return undefined
  return {
    name: column.name,
    type: column.type,
    zone: timeColumn(found.zones, column).zone,
    sql: instantSql(rawSql(column), timeColumn(found.zones, column)),
  }
}

function otherTimes(found: FoundSource, { columns }: Schema): TimeOf[] {
  const named = new Set(declaredTimes(found.source).map((name) => name.toLowerCase()))
  return columns
    .filter(({ name, type, isKey }) => isTime(type) && !isKey && !named.has(name.toLowerCase()))
    .map((column) => ({
      name: column.name,
      type: column.type,
      sql: instantSql(rawSql(column), timeColumn(found.zones, column)),
    }))
}

/** True where the time is a folder's key of another form than a date, which only serving can read. */
export function hasTextKey(surveyed: Surveyed): boolean {
  return isKeyed(surveyed.found) && surveyed.time === undefined
}

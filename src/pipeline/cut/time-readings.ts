import { declaredTimes } from '../sources/admitted.ts'
import type { SourceColumn } from '../sources/file-kinds.ts'
import { columnNamed } from '../sources/source-columns.ts'
import type { SourceTable } from './cut-view.ts'
import { timeColumn } from './source-zones.ts'
import { isTime, ZONED } from './time-column.ts'

/** How the values of a time column are interpreted, as text for `validate`. */
export interface TimeReading {
  source: string
  column: string
  /** As DuckDB names it. */
  type: string
  /** True where the cut compares it. */
  cuts: boolean
  reads: string
}

/** For each source, the time columns that cut it and those that the SQL reads. */
export function timeReadings(tables: SourceTable[]): TimeReading[] {
  return tables.flatMap((table) => {
    const { found, schema, columns } = table
    const cutting = declaredTimes(found.source).flatMap((name) => columnNamed(schema.columns, name) ?? [])
    const read = columns.filter((column) => isTime(column.type) && !cutting.includes(column))
    const reading = (column: SourceColumn, cuts: boolean) => ({
      source: found.name,
      column: column.name,
      type: column.type,
      cuts,
      reads: wordsFor(table, column, cuts),
    })
    return [
      ...cutting.map((column) => reading(column, true)),
      ...read.map((column) => reading(column, false)),
    ]
  })
}

function wordsFor({ found: { zones, source } }: SourceTable, column: SourceColumn, cuts: boolean): string {
  const { zone } = timeColumn(zones, column)
  const own = zones.columns.has(column.name.toLowerCase())
  const origin = own || (source.timezone !== undefined && column.type !== ZONED) ? 'declared' : 'by default'
  if (column.type === 'DATE') return cuts ? `local days of ${zone}, ${origin}` : 'dates without a zone'
  if (column.type === ZONED && (!own || zone === 'UTC')) return 'instants'
  if (isTime(column.type)) return `wall times of ${zone}, ${origin}`
  return `times of folders: those without a zone are wall times of ${timeColumn(zones, { ...column, type: 'TIMESTAMP' }).zone}, ${origin}`
}

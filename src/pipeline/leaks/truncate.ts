import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { View } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { arrivalBefore, type Cut } from '../cut/cut.ts'
import { timeColumn } from '../cut/source-zones.ts'
import { showInstant } from '../cut/wall-time.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier, literal } from '../engine/quote.ts'
import { asParquet } from '../sources/converted-files.ts'
import { columnNamed } from '../sources/source-columns.ts'
import { instantLiteral, instantSql } from './instant.ts'
import { hasTextKey, rawSql, type Surveyed } from './survey.ts'

/** A further value that was not known at the as-of, in addition to later rows. */
export interface Edit {
  /** `value`: times at or after the as-of read null. `rows`: rows of such times are not there. */
  kind: 'value' | 'rows'
  source: string
  column: string
}

export interface Truncation {
  engine: Engine
  view: View
  sources: Surveyed[]
  asOf: AsOf
  cut: Cut
  /** An empty folder that the engine may write to. */
  folder: string
  /** Sources to truncate. Default: all. */
  only?: string[]
  edits: Edit[]
}

/**
 * Writes the sources as they lay at the as-of: new Parquet files with the rows that there were, each as it was known
 * (an end that had not come is null). Returns the view over them. Keys of folders become columns of the same type.
 */
export async function truncate(truncation: Truncation): Promise<View> {
  const { view, sources, folder, only } = truncation
  const replaced = { ...view.sources }
  for (const surveyed of sources) {
    const { name, source } = surveyed.found
    // Serving alone reads a key such as `2026-11-22T03Z`.
    if (hasTextKey(surveyed) || (only !== undefined && !only.includes(name))) continue
    const path = join(folder, name)
    await mkdir(path, { recursive: true })
    await write(truncation, surveyed, join(path, 'before.parquet'))
    replaced[name] = asParquet(source, join(path, '*.parquet'))
  }
  return { ...view, sources: replaced }
}

async function write(truncation: Truncation, surveyed: Surveyed, path: string): Promise<void> {
  const columns = surveyed.schema.columns.map((column) => {
    const sql = rawSql(column)
    return isUnknown(truncation, surveyed, column.name)
      ? `CASE WHEN ${instantOf(surveyed, column.name)} < ${instantLiteral(truncation.asOf.instant)} THEN ${sql} END AS ${identifier(column.name)}`
      : `${sql} AS ${identifier(column.name)}`
  })
  const where = rowsThere(truncation, surveyed)
  await truncation.engine.run(
    `COPY (SELECT ${columns.join(', ')} FROM ${surveyed.from}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}) TO ${literal(path)} (FORMAT parquet, COMPRESSION snappy)`,
  )
}

function isUnknown({ edits }: Truncation, { found }: Surveyed, column: string): boolean {
  const { end } = traitsOf(found.source)
  const isEnd = end?.name.toLowerCase() === column.toLowerCase()
  return (
    isEnd ||
    edits.some((edit) => edit.kind === 'value' && edit.source === found.name && edit.column === column)
  )
}

function rowsThere({ edits, asOf, cut }: Truncation, surveyed: Surveyed): string[] {
  const { source, name } = surveyed.found
  const at = instantLiteral(asOf.instant)
  const where = surveyed.time === undefined ? [] : [`${surveyed.time.sql} < ${at}`]
  const arrived = arrivalBefore(source, cut)
  if (arrived !== undefined) {
    where.push(`${instantOf(surveyed, arrived.name)} < ${instantLiteral(showInstant(arrived.before))}`)
  }
  for (const edit of edits.filter((each) => each.kind === 'rows' && each.source === name)) {
    const time = instantOf(surveyed, edit.column)
    where.push(`(${time} IS NULL OR ${time} < ${at})`)
  }
  return where
}

function instantOf({ found, schema }: Surveyed, name: string): string {
  const column = columnNamed(schema.columns, name)
  if (column === undefined) return identifier(name)
  return instantSql(rawSql(column), timeColumn(found.zones, column))
}

import type { Engine } from '../engine/duckdb.ts'
import { dividedDay } from './data-paths.ts'
import type { Looked } from './guess-entity.ts'

/** The day that the folders of a table say. */
export interface FolderDay {
  name: string
  /** The table with a column of that name. */
  table: Looked
  /** First and last day, YYYY-MM-DD. */
  span: { first: string; last: string } | undefined
  /** As a person reads it: `day=...`. */
  folders: string
  /** SQL of the day where the folders say it in parts; `select` then adds it. */
  sql: string | undefined
}

/** Undefined where they say none. */
export async function dayOfFolders(engine: Engine, table: Looked): Promise<FolderDay | undefined> {
  const key = table.columns.find(({ isKey, type }) => isKey && type === 'DATE')
  if (key !== undefined) {
    const { name, min, max } = key
    const span = min === null || max === null ? undefined : { first: min, last: max }
    return { name, table, span, folders: `${name}=...`, sql: undefined }
  }
  const sql = dividedDay(table.columns)
  if (sql === undefined) return undefined
  const name = 'folder_day'
  const from = `(SELECT *, ${sql} AS ${name} FROM ${table.from})`
  const { first, last } = await engine.row(
    `SELECT min(${name})::VARCHAR AS first, max(${name})::VARCHAR AS last FROM ${from}`,
  )
  if (first === null || last === null) return undefined
  const span = { first: String(first), last: String(last) }
  return { name, table: { ...table, from }, span, folders: 'year=.../month=.../day=...', sql }
}

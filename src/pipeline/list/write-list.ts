import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'

export interface ListFileRequest {
  /** Path of the published scores. */
  scores: string
  entity: string[]
  /** The score's column. */
  score: string
  /** Rows with the decision true alone, where there is a threshold. */
  decided: boolean
  /** Path to write, in a folder that is there. */
  out: string
  temp: string
}

const MEMORY = '512MB'
/** What a spreadsheet would read as a formula (OWASP, CSV injection). */
const FORMULA = '^[=+\\-@\\t\\r]'

/**
 * Writes published scores as CSV, the highest first and equal scores by entity. A text, and the name of a column, that a spreadsheet would take for a formula gets a leading
 * quote, as in src/web/csv.ts. Memory is bounded: what does not fit is sorted on disk.
 */
export async function writeList({
  scores,
  entity,
  score,
  decided,
  out,
  temp,
}: ListFileRequest): Promise<{ rows: number }> {
  const path = await realpath(scores)
  const engine = await openEngine({
    readable: [path],
    writable: [await realpath(dirname(out))],
    temp,
    threads: 1,
    memoryLimit: MEMORY,
    timezone: 'UTC',
  })
  try {
    const columns = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(path)}`)
    const shown = columns.map(({ column_name, column_type }) => {
      const name = String(column_name)
      const value = identifier(name)
      const harmless =
        column_type === 'VARCHAR'
          ? `CASE WHEN regexp_matches(${value}, ${literal(FORMULA)}) THEN '''' || ${value} ELSE ${value} END`
          : value
      return `${harmless} AS ${identifier(new RegExp(FORMULA).test(name) ? `'${name}` : name)}`
    })
    const where =
      decided && columns.some(({ column_name }) => column_name === 'decision') ? 'WHERE decision' : ''
    const { Count } = await engine.row(
      `COPY (SELECT ${shown.join(', ')} FROM ${parquet(path)} ${where} ORDER BY ${[`${identifier(score)} DESC`, ...entity.map(identifier)].join(', ')}) TO ${literal(out)} (FORMAT csv, HEADER true)`,
    )
    return { rows: Number(Count) }
  } finally {
    engine.close()
  }
}

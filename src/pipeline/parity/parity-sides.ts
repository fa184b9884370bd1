import { realpath } from 'node:fs/promises'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'
import type { ComparedColumn } from './compare.ts'

/** An engine that reads these files and spills into `temp`; closed after the work. */
export async function withEngine<T>(
  readable: string[],
  temp: string,
  threads: number,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine({
    readable: await Promise.all(readable.map((path) => realpath(path))),
    writable: [temp],
    temp,
    threads,
    timezone: 'UTC',
  })
  try {
    return await work(engine)
  } finally {
    engine.close()
  }
}

export async function columnsOf(engine: Engine, from: string): Promise<Column[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${from}`)
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
}

/** The other side's value in the published type; a value that does not fit there differs. */
export function castTo(column: Column, other: Column): ComparedColumn {
  if (other.type === column.type) return { ...column, right: `r.${identifier(other.name)}` }
  const raw = `r.${identifier(other.name)}`
  const cast = `TRY_CAST(${raw} AS ${column.type})`
  return { ...column, right: cast, unreadable: `(${raw} IS NOT NULL AND ${cast} IS NULL)` }
}

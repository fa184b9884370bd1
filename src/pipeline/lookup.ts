import { realpath } from 'node:fs/promises'
import { openEngine } from './duckdb.ts'
import { identifier, literal } from './quote.ts'

export interface LookupRequest {
  /** Path of a Parquet file. */
  path: string
  /** The entity's columns with the values that are looked for, as text. */
  entity: Record<string, string>
  temp: string
}

/** A row as text by column; null where it is null. Undefined where there is none; `near` has entities that are there. */
export interface LookupFacts {
  row: Record<string, string | null> | undefined
  types: Record<string, string>
  near: string[]
}

/** Finds the one row of an entity in a partition. */
export async function lookUp({ path, entity, temp }: LookupRequest): Promise<LookupFacts> {
  const file = await realpath(path)
  const from = `read_parquet(${literal(file)}, hive_partitioning = false)`
  const engine = await openEngine({ readable: [file], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    const columns = await engine.rows(`DESCRIBE SELECT * FROM ${from}`)
    const where = Object.entries(entity).map(
      ([name, value]) => `${identifier(name)}::VARCHAR = ${literal(value)}`,
    )
    const [row] = await engine.rows(
      `SELECT COLUMNS(*)::VARCHAR FROM ${from} WHERE ${where.join(' AND ')} LIMIT 1`,
    )
    const key = Object.keys(entity).map((name) => `${identifier(name)}::VARCHAR`)
    const near =
      row !== undefined
        ? []
        : await engine.rows(`SELECT concat_ws('/', ${key.join(', ')}) AS entity FROM ${from} LIMIT 3`)
    return {
      row:
        row === undefined
          ? undefined
          : Object.fromEntries(
              Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
            ),
      types: Object.fromEntries(
        columns.map((column) => [String(column.column_name), String(column.column_type)]),
      ),
      near: near.map((each) => String(each.entity)),
    }
  } finally {
    engine.close()
  }
}

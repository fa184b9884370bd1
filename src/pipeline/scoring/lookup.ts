import { realpath } from 'node:fs/promises'
import { openEngine } from '../engine/duckdb.ts'
import { identifier, parquet } from '../engine/quote.ts'

export interface LookupRequest {
  /** Path of a Parquet file. */
  path: string
  /** Readings of the entity that is looked for, likeliest first: its columns, each with a value as text. */
  entities: Record<string, string>[]
  temp: string
}

/** A row as text by column; null where it is null. Undefined where there is none; `near` has entities that resemble it. */
export interface LookupFacts {
  row: Record<string, string | null> | undefined
  types: Record<string, string>
  near: string[]
}

const NEAR = 3
/** Nobody can type a zero byte, and pages show it so. */
const ZERO_BYTE = { shown: '\\u0000', text: '\0' }

/** Finds the one row of an entity in a partition: each value as its column's type reads it, `07` is 7 of a BIGINT. */
export async function lookUp({ path, entities, temp }: LookupRequest): Promise<LookupFacts> {
  const file = await realpath(path)
  const from = parquet(file)
  const engine = await openEngine({ readable: [file], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    const columns = await engine.rows(`DESCRIBE SELECT * FROM ${from}`)
    const types = Object.fromEntries(
      columns.map((column) => [String(column.column_name), String(column.column_type)]),
    )
    // Values are bound: a text with a zero byte cannot stand in SQL.
    const values: Record<string, string> = {}
    const where = entities.map((entity) => {
      const same = Object.entries(entity).map(([name, value]) => {
        const readings = [value, value.replaceAll(ZERO_BYTE.shown, ZERO_BYTE.text)].map((text) => {
          const parameter = `v${Object.keys(values).length}`
          values[parameter] = text
          return `TRY_CAST($${parameter} AS ${types[name] ?? 'VARCHAR'})`
        })
        return `${identifier(name)} IN (${readings.join(', ')})`
      })
      return `(${same.join(' AND ')})`
    })
    const [row] = await engine.rows(
      `SELECT COLUMNS(*)::VARCHAR FROM ${from} WHERE ${where.join(' OR ')} LIMIT 1`,
      values,
    )
    const key = Object.keys(entities[0] ?? {})
    const near =
      row !== undefined
        ? []
        : await engine.rows(
            `SELECT DISTINCT entity FROM (SELECT concat_ws('/', ${key.map((name) => `${identifier(name)}::VARCHAR`).join(', ')}) AS entity FROM ${from})
              ORDER BY levenshtein(entity, $wanted), entity LIMIT ${NEAR}`,
            { wanted: Object.values(entities[0] ?? {}).join('/') },
          )
    return {
      row:
        row === undefined
          ? undefined
          : Object.fromEntries(
              Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
            ),
      types,
      near: near.map((each) => String(each.entity)),
    }
  } finally {
    engine.close()
  }
}

import type { ExampleTable } from '../../project/files/load-examples.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier, literal } from '../engine/quote.ts'

/** Writes the rows of an example as one Parquet file. Their cells have been checked against the types. */
export async function writeTable(engine: Engine, table: ExampleTable, path: string): Promise<void> {
  const { columns, rows } = table
  const cast = columns.map(({ name, type }) => `CAST(${identifier(name)} AS ${type}) AS ${identifier(name)}`)
  const names = columns.map(({ name }) => identifier(name)).join(', ')
  const values = rows.map((row) => `(${columns.map(({ name }) => text(row[name] ?? null)).join(', ')})`)
  // VALUES needs a row; WHERE takes it away again.
  const nothing = `(${columns.map(() => 'NULL').join(', ')})`
  const given = values.length === 0 ? nothing : values.join(', ')
  await engine.run(
    `COPY (SELECT ${cast.join(', ')} FROM (VALUES ${given}) AS given(${names})${values.length === 0 ? ' WHERE false' : ''})
       TO ${literal(path)} (FORMAT parquet)`,
  )
}

/** As text: each cell is then read by its column's type alone. */
export function text(cell: string | number | boolean | null): string {
  return cell === null ? 'NULL::VARCHAR' : literal(String(cell))
}

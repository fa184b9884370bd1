import type { Engine } from '../engine/duckdb.ts'
import { identifier, parquet } from '../engine/quote.ts'
import type { RowRange } from './row-ranges.ts'

/** The entity of the first and of the last of some rows, one text for each of its columns. */
export interface EndKeys {
  first: string[]
  last: string[]
}

/** Reads two rows by their numbers, and the row groups that they lie in. */
export async function endKeys(
  engine: Engine,
  file: string,
  entity: string[],
  { first, rows }: RowRange,
): Promise<EndKeys> {
  const names = entity.map((name, index) => `${identifier(name)}::VARCHAR AS k${index}`).join(', ')
  const keyAt = async (row: number): Promise<string[]> => {
    const found = await engine.row(
      `SELECT ${names} FROM ${parquet(file, { rowNumbers: true })} WHERE file_row_number = ${row}`,
    )
    return entity.map((_, index) => String(found[`k${index}`]))
  }
  return { first: await keyAt(first), last: await keyAt(first + rows - 1) }
}

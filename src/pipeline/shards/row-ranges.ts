import { parquet } from '../engine/quote.ts'

/** Contiguous rows of a partition that one shard scores. */
export interface RowRange {
  /** The number of its first row, from 0. */
  first: number
  rows: number
}

/** Rows of a row group, as DuckDB writes them: a range that ends with one reads no row group of another. */
const GROUP = 122_880
/** Rows of a vector. Parts of whole vectors are joined into the row groups that one attempt writes; others into slightly larger ones. */
const VECTOR = 2_048

/**
 * Divides the rows of a partition into at most `shards` ranges of about the same size, in their order, each of at least `minRows`.
 * Undefined where that leaves fewer than two.
 */
export function planRanges(rows: number, shards: number, minRows: number): RowRange[] | undefined {
  const fewest = rows > GROUP ? Math.max(VECTOR, minRows) : Math.max(1, minRows)
  const count = Math.min(shards, Math.floor(rows / fewest))
  if (count < 2) return undefined
  const even = rows / count
  const step = even >= 2 * GROUP ? GROUP : even >= VECTOR ? VECTOR : 1
  const starts = Array.from({ length: count }, (_, index) => Math.round((index * even) / step) * step)
  return starts.map((first, index) => ({ first, rows: (starts[index + 1] ?? rows) - first }))
}

/** What stands after FROM: these rows of a Parquet file, in their order. Row groups of other rows are not read. */
export function rowsOf(file: string, { first, rows }: RowRange): string {
  return `(SELECT * EXCLUDE (file_row_number) FROM ${parquet(file, { rowNumbers: true })} WHERE file_row_number >= ${first} AND file_row_number < ${first + rows})`
}

/** A name as SQL reads it whatever it holds: `"customer id"`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A value as SQL reads it: `'it''s'`, `0.5`, `true`. */
export function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

/** A number as a DOUBLE to its last bit: a literal with a point would be a DECIMAL first. */
export function double(value: number): string {
  return `'${value}'::DOUBLE`
}

/**
 * Parquet files as FROM reads them: folders such as `as_of=2026-11-22` on their paths are no columns. With `rowNumbers`
 * each row has its place in its file as `file_row_number`.
 */
export function parquet(paths: string | string[], { rowNumbers = false } = {}): string {
  const files = typeof paths === 'string' ? literal(paths) : `[${paths.map(literal).join(', ')}]`
  return `read_parquet(${files}, hive_partitioning = false${rowNumbers ? ', file_row_number = true' : ''})`
}

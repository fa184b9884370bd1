/** A name as SQL reads it whatever it holds: `"customer id"`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A value as SQL reads it: `'it''s'`, `0.5`, `true`. */
export function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

/** One Parquet file as FROM reads it: folders such as `as_of=2026-11-22` on its path are no columns. */
export function parquet(path: string): string {
  return `read_parquet(${literal(path)}, hive_partitioning = false)`
}

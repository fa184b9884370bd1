import { DuckDBInstance } from '@duckdb/node-api'

/** Names that SQL understands as calls and DuckDB's list leaves out. */
export const SPELLINGS = [
  ...[
    'current_time',
    'current_timestamp',
    'localtime',
    'localtimestamp',
    'getenv',
    'pg_backend_pid',
    'unnest',
  ],
]

/** Names, in lower case, of what the pinned DuckDB lets stand as a value and after FROM. */
export async function functionsOfDuckDb(): Promise<{ values: Set<string>; tables: Set<string> }> {
  const instance = await DuckDBInstance.create(':memory:', { autoload_known_extensions: 'false' })
  const connection = await instance.connect()
  try {
    const rows = (
      await connection.runAndReadAll(
        "SELECT DISTINCT lower(function_name), function_type IN ('table', 'table_macro') FROM duckdb_functions() WHERE function_type <> 'pragma'",
      )
    ).getRowsJS()
    const named = (table: boolean) =>
      new Set(rows.flatMap(([name, isTable]) => (isTable === table ? [String(name)] : [])))
    return { values: named(false), tables: named(true) }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

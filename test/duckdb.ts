import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

/** One for all tests of this process: to open and close one takes twenty times what most statements take. */
let shared: Promise<DuckDBInstance> | undefined

/** A connection of the caller's own to an engine that may do everything. It reads files anew each time. */
export async function connectDuckdb(): Promise<DuckDBConnection> {
  shared ??= DuckDBInstance.create(':memory:', { threads: '1', enable_external_file_cache: 'false' })
  return (await shared).connect()
}

/** Runs one statement. */
export async function runDuckdb(statement: string): Promise<void> {
  const connection = await connectDuckdb()
  try {
    await connection.run(statement)
  } finally {
    connection.closeSync()
  }
}

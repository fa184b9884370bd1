import { connectDuckdb } from '../../duckdb.ts'

/** Rows, their order and every value; and how they lie in row groups. */
export async function contentOf(file: string): Promise<unknown> {
  const connection = await connectDuckdb()
  try {
    const rows = await connection.runAndReadAll(
      `SELECT count(*), md5(string_agg(s::VARCHAR, '|' ORDER BY n))
         FROM (SELECT s, file_row_number AS n FROM read_parquet('${file}', hive_partitioning = false, file_row_number = true) s)`,
    )
    const groups = await connection.runAndReadAll(
      `SELECT row_group_num_rows, path_in_schema, type, total_compressed_size FROM parquet_metadata('${file}')`,
    )
    return [rows.getRowsJson(), groups.getRowsJson()]
  } finally {
    connection.closeSync()
  }
}

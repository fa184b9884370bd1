import { DOUBLE, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'

/** Scores on their way into a file, 8 bytes a row, in DuckDB's memory or its temporary files. */
export interface ScoreTable {
  /** The table's name: one column `score` DOUBLE, in the order of the calls. */
  readonly name: string
  append(scores: Float64Array): void
  /** Makes the scores visible to other connections. */
  close(): void
}

/** Rows of one data chunk, DuckDB's vector size. */
const CHUNK = 2048

/**
 * Opens an empty table for scores. The connection is the table's own: whatever else runs on a connection silently
 * ends the stream that is being read from it.
 */
export async function openScoreTable(connection: DuckDBConnection): Promise<ScoreTable> {
  await connection.run('CREATE TABLE scores (score DOUBLE)')
  const appender = await connection.createAppender('scores')
  return {
    name: 'scores',
    append(scores) {
      for (let start = 0; start < scores.length; start += CHUNK) {
        const part = scores.subarray(start, start + CHUNK)
        const chunk = DuckDBDataChunk.create([DOUBLE], part.length)
        const vector = chunk.getColumnVector(0)
        const items: unknown = Reflect.get(vector, 'items')
        if (!(items instanceof Float64Array))
          throw new Error(`a vector of ${vector.type} has no array of doubles`)
        items.set(part)
        vector.flush()
        appender.appendDataChunk(chunk)
      }
    },
    close: () => appender.closeSync(),
  }
}

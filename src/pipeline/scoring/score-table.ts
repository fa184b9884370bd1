import { DOUBLE, type DuckDBConnection, DuckDBDataChunk, type DuckDBType, SMALLINT } from '@duckdb/node-api'
import type { Reasons } from '../reasons/reason-plan.ts'

/** Scores on their way into a file, 8 bytes a row and 10 for each reason, in DuckDB's memory or its temporary files. */
export interface ScoreTable {
  /** The table's name: `score` DOUBLE, `reason_1` SMALLINT, `effect_1` DOUBLE and so on, in the order of the calls. */
  readonly name: string
  append(scores: Float64Array, reasons?: Reasons): void
  /** Makes the scores visible to other connections. */
  close(): void
}

/** Rows of one data chunk, DuckDB's vector size. */
const CHUNK = 2048

/**
 * Opens an empty table for scores with so many reasons a row. The connection is the table's own: whatever else runs on a
 * connection silently ends the stream that is being read from it.
 */
export async function openScoreTable(
  connection: DuckDBConnection,
  reasons = 0,
  name = 'scores',
): Promise<ScoreTable> {
  const ranks = Array.from({ length: reasons }, (_, index) => index + 1)
  const columns = ranks.map((rank) => `, reason_${rank} SMALLINT, effect_${rank} DOUBLE`).join('')
  await connection.run(`CREATE TABLE ${name} (score DOUBLE${columns})`)
  const appender = await connection.createAppender(name)
  const types: DuckDBType[] = [DOUBLE, ...ranks.flatMap(() => [SMALLINT, DOUBLE])]
  return {
    name,
    append(scores, given) {
      const arrays = [
        scores,
        ...ranks.flatMap((rank) => [given?.columns[rank - 1], given?.effects[rank - 1]]),
      ]
      for (let start = 0; start < scores.length; start += CHUNK) {
        const rows = Math.min(CHUNK, scores.length - start)
        const chunk = DuckDBDataChunk.create(types, rows)
        for (const [index, array] of arrays.entries())
          fill(chunk, index, array?.subarray(start, start + rows))
        appender.appendDataChunk(chunk)
      }
    },
    close: () => appender.closeSync(),
  }
}

function fill(chunk: DuckDBDataChunk, index: number, part: Float64Array | Int16Array | undefined): void {
  const vector = chunk.getColumnVector(index)
  const items: unknown = Reflect.get(vector, 'items')
  if (
    part === undefined ||
    !(items instanceof Float64Array || items instanceof Int16Array) ||
    items.constructor !== part.constructor
  )
    throw new Error(`column ${index} of the scores, ${vector.type}, does not hold what it was given`)
  items.set(part)
  vector.flush()
}

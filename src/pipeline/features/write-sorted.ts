import type { Engine, Values } from '../engine/duckdb.ts'
import { identifier, literal } from '../engine/quote.ts'

export interface SortedRequest {
  /** One SELECT, and what its parameters stand for. */
  sql: string
  values?: Values | undefined
  entity: string[]
  out: string
  metadata: Record<string, string>
  progress?: ((text: string, rows?: number, total?: number) => void) | undefined
}

const PROGRESS_MS = 500

/**
 * Writes features, sorted by entity, and returns their number. One COPY. Snappy: zstd makes the file a sixth smaller and takes longer
 * to read than that saves.
 */
export async function writeSorted(
  engine: Engine,
  { sql, values, entity, out, metadata, progress }: SortedRequest,
  doing = 'computing features',
): Promise<number> {
  const order = entity.map(identifier).join(', ')
  const pairs = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`)
  const options = `FORMAT parquet, COMPRESSION snappy, KV_METADATA {${pairs.join(', ')}}`
  const timer =
    progress === undefined
      ? undefined
      : setInterval(() => progress(`${doing}: ${Math.round(engine.percentage() ?? 0)} %`), PROGRESS_MS)
  try {
    const row = await engine.row(
      `COPY (SELECT * FROM (${sql}\n) ORDER BY ${order}) TO ${literal(out)} (${options})`,
      values,
    )
    return Number(row.Count)
  } finally {
    clearInterval(timer)
  }
}

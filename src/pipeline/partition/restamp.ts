import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import type { WrittenFile } from '../engine/facts.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { readBack } from './read-back.ts'

export interface RestampRequest {
  /** Path of a Parquet file, sorted by entity. */
  from: string
  /** Path to write, in a folder that is there. */
  out: string
  entity: string[]
  /** Key-value metadata of the new file, whole but for how its reasons were found, which it keeps. */
  metadata: Record<string, string>
  temp: string
  threads: number
}

/** Writes the same rows in the same order under other metadata, synced, hashed and read back. */
export async function restamp({
  from,
  out,
  entity,
  metadata,
  temp,
  threads,
}: RestampRequest): Promise<WrittenFile> {
  const source = await realpath(from)
  const engine = await openEngine({
    readable: [source],
    writable: [await realpath(dirname(out))],
    temp,
    threads,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const [reasons] = await engine.rows(
      `SELECT decode(value) AS text FROM parquet_kv_metadata(${literal(source)}) WHERE decode(key) = 'reasons'`,
    )
    const kept = reasons === undefined ? metadata : { ...metadata, reasons: String(reasons.text) }
    const pairs = Object.entries(kept).map(([key, value]) => `${identifier(key)}: ${literal(value)}`)
    const { Count } = await engine.row(
      `COPY (SELECT * FROM ${parquet(source)}) TO ${literal(out)} (FORMAT parquet, KV_METADATA {${pairs.join(', ')}})`,
    )
    return await readBack({ engine, path: out, entity, rows: Number(Count), metadata: kept })
  } finally {
    engine.close()
  }
}

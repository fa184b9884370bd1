import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import { literal } from '../engine/quote.ts'

/** Writes small Parquet files from SELECTs of ours: the sample data of a new project. */
export async function writeSample({
  files,
}: {
  files: { path: string; sql: string }[]
}): Promise<{ written: string[] }> {
  const folders = [...new Set(files.map(({ path }) => dirname(path)))]
  for (const folder of folders) await mkdir(folder, { recursive: true })
  const [temp = '.'] = folders
  const engine = await openEngine({ readable: [], writable: folders, temp, threads: 1, timezone: 'UTC' })
  try {
    for (const { path, sql } of files) {
      await engine.connection.run(`COPY (${sql}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`)
    }
  } finally {
    await engine.close()
  }
  return { written: files.map(({ path }) => path) }
}

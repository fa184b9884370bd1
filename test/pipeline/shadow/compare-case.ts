import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDuckdb } from '../../duckdb.ts'

export interface ShadowCase {
  folder: string
  /** Writes a Parquet file into the folder; `run` becomes its metadata. Returns the path. */
  write(name: string, select: string, run?: string): Promise<string>
  remove(): void
}

/** A folder with Parquet files of scores. */
export async function openShadowCase(): Promise<ShadowCase> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-shadow-case-'))
  const connection = await connectDuckdb()
  return {
    folder,
    async write(name, select, run) {
      const path = join(folder, name)
      const metadata = run === undefined ? '' : `, KV_METADATA { run: '${run}' }`
      await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet${metadata})`)
      return path
    },
    remove() {
      connection.closeSync()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `(1, 0.5), (2, NULL)` as rows of id and score. */
export function rowsOf(scores: Record<number, number | null | 'NaN'>): string {
  const values = Object.entries(scores).map(
    ([id, score]) => `(${id}::BIGINT, ${score === null ? 'NULL' : `'${score}'`}::DOUBLE)`,
  )
  return `SELECT * FROM (VALUES ${values.join(', ')}) AS t(id, score)`
}

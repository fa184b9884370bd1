import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { Engine } from './duckdb.ts'
import type { Column, WrittenFile } from './facts.ts'
import { Failure } from './failure.ts'
import { identifier, literal } from './quote.ts'
import { syncFile } from './sync.ts'

export interface ReadBackRequest {
  /** The engine that wrote the file, or another that may read it. */
  engine: Engine
  path: string
  /** Columns whose values are compared, by which the rows are sorted. */
  entity: string[]
  /** Rows that were written. */
  rows: number
  metadata: Record<string, string>
}

/** Rows compared at either end of the file's first and last row groups. */
const EDGE = 1_000

/**
 * Syncs a file that DuckDB wrote, hashes it, and reads it with a second implementation that shares no code with the
 * first: number of rows, columns, key-value metadata, and the entity values at the ends of the file.
 * Throws a Failure of class `resource` where the two disagree: what is on the disk is not what was written.
 */
export async function readBack(request: ReadBackRequest): Promise<WrittenFile> {
  const { engine, path, rows, metadata } = request
  await syncFile(path)
  const [sha256, { size }, columns, footer] = await Promise.all([
    hash(path),
    stat(path),
    describe(engine, path),
    readFooter(path),
  ])
  const found = metadataOf(footer)
  expectSame(path, 'rows', rows, Number(footer.num_rows))
  expectSame(path, 'columns', columns.map(({ name }) => name).join(', '), topLevel(footer).join(', '))
  for (const [key, value] of Object.entries(metadata)) expectSame(path, `metadata ${key}`, value, found[key])
  await compareEdges(request, footer)
  return { path, rows, bytes: size, sha256, columns, metadata: found }
}

/** The run that wrote a partition, by its own metadata; undefined where there is no such file, or it says none. */
export async function readRunId(path: string): Promise<string | undefined> {
  try {
    return metadataOf(await readFooter(path)).run
  } catch {
    return undefined
  }
}

async function readFooter(path: string): Promise<FileMetaData> {
  return parquetMetadataAsync(await asyncBufferFromFile(path))
}

function metadataOf(footer: FileMetaData): Record<string, string> {
  return Object.fromEntries((footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

function topLevel(footer: FileMetaData): string[] {
  return footer.schema.slice(1).map(({ name }) => name)
}

async function hash(path: string): Promise<string> {
  const sha256 = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), sha256)
  return sha256.digest('hex')
}

async function describe(engine: Engine, path: string): Promise<Column[]> {
  const rows = await engine.rows(
    `DESCRIBE SELECT * FROM read_parquet(${literal(path)}, hive_partitioning = false)`,
  )
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
}

/** The first rows of the first row group and the last rows of the last, as both read them. */
async function compareEdges(
  { engine, path, entity, rows }: ReadBackRequest,
  footer: FileMetaData,
): Promise<void> {
  if (rows === 0) return
  const file = await asyncBufferFromFile(path)
  const last = footer.row_groups.at(-1)
  const lastStart = rows - Number(last?.num_rows ?? 0)
  const ranges = [
    [0, Math.min(EDGE, rows)],
    [Math.max(lastStart, rows - EDGE), rows],
  ] as const
  const text = entity.map((name) => `${identifier(name)}::VARCHAR`)
  for (const [from, to] of ranges) {
    const ours = await engine.rows(
      `SELECT concat_ws(chr(31), ${text.join(', ')}) AS entity
         FROM read_parquet(${literal(path)}, hive_partitioning = false, file_row_number = true)
        WHERE file_row_number >= ${from} AND file_row_number < ${to} ORDER BY file_row_number`,
    )
    const theirs = await parquetReadObjects({
      file,
      metadata: footer,
      columns: entity,
      rowStart: from,
      rowEnd: to,
      compressors,
    })
    expectSame(path, `rows ${from} to ${to}`, ours.length, theirs.length)
    for (const [index, row] of theirs.entries()) {
      const read = entity.map((name) => asText(row[name])).join('\u001f')
      expectSame(path, `entity of row ${from + index}`, String(ours[index]?.entity), read)
    }
  }
}

/** As DuckDB writes the value as text. */
function asText(value: unknown): string {
  if (value instanceof Date)
    return value
      .toISOString()
      .replace('T', ' ')
      .replace(/(\.000)?Z$/, '')
      .replace(/ 00:00:00$/, '')
  return String(value)
}

function expectSame(path: string, what: string, written: unknown, read: unknown): void {
  if (written === read) return
  throw new Failure('resource', `${path}: ${what}: wrote ${String(written)}, read back ${String(read)}`, {
    evidence: { what, written, read },
  })
}

import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetSchema } from 'hyparquet'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { duckdbType } from '../sources/parquet-type.ts'

/** The run that wrote a partition, by its own metadata; undefined where there is no such file, or it says none. */
export async function readRunId(path: string): Promise<string | undefined> {
  try {
    return metadataOf(await parquetMetadataAsync(await asyncBufferFromFile(path), { geoparquet: false })).run
  } catch {
    return undefined
  }
}

/** Throws a Failure of class `resource` unless the file is whole. */
export async function openFooter(path: string): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(await asyncBufferFromFile(path), { geoparquet: false })
  } catch (cause) {
    throw differs(
      path,
      'footer',
      'a whole file',
      cause instanceof Error ? cause.message : String(cause),
      cause,
    )
  }
}

/** Key-value metadata of a Parquet file. Throws a Failure of class `resource` where it cannot be read. */
export async function readMetadata(path: string): Promise<Record<string, string>> {
  return metadataOf(await openFooter(path))
}

export function metadataOf(footer: FileMetaData): Record<string, string> {
  return Object.fromEntries((footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']))
}

export function columnsOf(footer: FileMetaData): Column[] {
  return parquetSchema(footer).children.map((child) => ({
    name: child.element.name,
    type: duckdbType(child) ?? 'unknown',
  }))
}

/** Names and types of a partition that was published, by its footer. */
export async function readColumns(path: string): Promise<Column[]> {
  return columnsOf(await openFooter(path))
}

/** What the disk holds is not what was written. */
export function differs(path: string, what: string, written: string, read: string, cause?: unknown): Failure {
  return new Failure('resource', `${path}: ${what}: wrote ${written}, read back ${read}`, {
    cause,
    evidence: { what, written, read },
  })
}

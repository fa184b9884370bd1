import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { parquetHeader } from 'hyparquet/src/column.js'
import { readMetadata } from './footers.ts'
import type { SourceFile } from './sources.ts'

/** A page whose bytes are not those that were written. */
export interface BadPage {
  /** As people are shown it. */
  file: string
  column: string
}

const known = new Map<string, BadPage[]>()
const KNOWN_LIMIT = 10_000
/** Page headers hold statistics, which may be long strings. */
const HEADER_BYTES = 64 * 1024
const CHUNK_LIMIT = 1 << 30

/**
 * Compares the pages of Parquet files with their checksums, which few writers add and DuckDB does not look at.
 * A file whose first page has none costs one read of some bytes; else the whole file is read, at about 1 GB a
 * second. Files that have not changed are not read again while the process lives. Returns one entry for each column
 * that has a bad page. A file that cannot be walked through is left to DuckDB, whose error names it.
 */
export async function findBadPages(files: SourceFile[]): Promise<BadPage[]> {
  const bad: BadPage[] = []
  for (const file of files) {
    const key = `${file.path}\n${file.size}\n${file.modified}`
    let found = known.get(key)
    if (found === undefined) {
      found = await inspect(file)
      if (known.size >= KNOWN_LIMIT) known.clear()
      known.set(key, found)
    }
    bad.push(...found)
  }
  return bad
}

/** Their descriptions, one sentence a file. */
export function badPageWarnings(bad: BadPage[]): string[] {
  const files = [...new Set(bad.map(({ file }) => file))]
  return files.map((file) => {
    const columns = bad.filter((page) => page.file === file).map(({ column }) => column)
    return `${file}: the page checksums of ${columns.length === 1 ? 'column' : 'columns'} ${columns.join(', ')} do not match: the file was damaged after it was written, and its values may be wrong. Have it written again`
  })
}

async function inspect(file: SourceFile): Promise<BadPage[]> {
  if (file.footer.firstPage === undefined) return []
  const handle = await open(file.path, 'r').catch(() => undefined)
  if (handle === undefined) return []
  try {
    const head = await readAt(
      handle,
      file.footer.firstPage,
      Math.min(HEADER_BYTES, file.size - file.footer.firstPage),
    )
    if (headerAt(head, 0)?.crc === undefined) return []
    const columns = new Set<string>()
    for (const group of readMetadata(file, file.shown).row_groups) {
      for (const { meta_data } of group.columns) {
        if (meta_data === undefined) continue
        const column = meta_data.path_in_schema.join('.')
        const start = Number(meta_data.dictionary_page_offset ?? meta_data.data_page_offset)
        const length = Number(meta_data.total_compressed_size)
        if (columns.has(column) || length > CHUNK_LIMIT || start + length > file.size) continue
        if (!pagesMatch(await readAt(handle, start, length))) columns.add(column)
      }
    }
    return [...columns].map((column) => ({ file: file.shown, column }))
  } catch {
    return []
  } finally {
    await handle.close()
  }
}

function pagesMatch(chunk: Uint8Array): boolean {
  let at = 0
  while (at < chunk.length) {
    const header = headerAt(chunk, at)
    if (header === undefined || header.bytes < 0 || header.end + header.bytes > chunk.length) return true
    const page = chunk.subarray(header.end, header.end + header.bytes)
    if (header.crc !== undefined && (crc32(page) | 0) !== header.crc) return false
    at = header.end + header.bytes
  }
  return true
}

/** The header of a page, where it ends and how long the page after it is; undefined where there is none to be read. */
function headerAt(
  bytes: Uint8Array,
  at: number,
): { crc: number | undefined; bytes: number; end: number } | undefined {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at }
  try {
    const { crc, compressed_page_size } = parquetHeader(reader)
    return Number.isInteger(compressed_page_size)
      ? { crc, bytes: compressed_page_size, end: reader.offset }
      : undefined
  } catch {
    return undefined
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

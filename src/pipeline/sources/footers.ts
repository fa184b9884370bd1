import { closeSync, openSync, readSync } from 'node:fs'
import {
  type FileMetaData,
  parquetMetadata,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
  type Statistics,
} from 'hyparquet'
import { Failure } from '../engine/failure.ts'
import type { FoundFile } from './glob.ts'

/** What a Parquet file says of itself, without its values. */
export interface Footer {
  rows: number
  /** Columns at the top level, in the file's order. */
  columns: FooterColumn[]
  /** Where the first page begins, undefined where there is none. */
  firstPage: number | undefined
}

export interface FooterColumn {
  name: string
  /** Everything that decides the column's type, to compare between files. */
  signature: string
  /** How its values count time: instants, wall times without a zone, dates; undefined: none of these. */
  time: 'instant' | 'naive' | 'date' | undefined
  /** Bounds over all row groups by the statistics: timestamps in microseconds, dates in days, as bigint. */
  range: Range | undefined
  /** It has no value: the file has no rows, the type is Parquet's null type, or the statistics count nulls alone. */
  isVoid: boolean
}

/** Closed. Of timestamps microseconds since 1970, of dates days, as the file has them (not yet instants). */
export interface Range {
  min: bigint
  max: bigint
}

/** One read of this many bytes from the end gets nearly every footer whole. */
const TAIL = 64 * 1024
const MAGIC = 'PAR1'

/**
 * Footers of files that have not changed, kept while the process lives: fourteen nights over one year of daily
 * files would read the same footers fourteen times. Oldest out beyond the limit.
 */
const known = new Map<string, Footer>()
const KNOWN_LIMIT = 10_000
/** Files of one source share their signatures; so should the memory. */
const signatures = new Map<string, string>()

/** Reads a footer (about 1 ms). Throws a contract Failure that names the file where it is no whole Parquet file. */
export function readFooter(file: FoundFile, shown: string): Footer {
  const key = `${file.path}\n${file.size}\n${file.modified}`
  const cached = known.get(key)
  if (cached !== undefined) return cached
  const footer = parse(file, shown)
  if (known.size >= KNOWN_LIMIT)
    for (const oldest of [...known.keys()].slice(0, KNOWN_LIMIT / 10)) known.delete(oldest)
  known.set(key, footer)
  return footer
}

function parse(file: FoundFile, shown: string): Footer {
  const metadata = readMetadata(file, shown)
  try {
    return { rows: Number(metadata.num_rows), columns: columnsOf(metadata), firstPage: firstPage(metadata) }
  } catch (cause) {
    throw broken(
      shown,
      `its schema cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    )
  }
}

/** The whole footer, as hyparquet reads it; up to some megabytes, so it is not kept. Throws as `readFooter`. */
export function readMetadata(file: FoundFile, shown: string): FileMetaData {
  const bytes = footerBytes(file, shown)
  try {
    return parquetMetadata(bytes, { parsers: RAW, geoparquet: false })
  } catch (cause) {
    throw broken(
      shown,
      `its footer cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    )
  }
}

function footerBytes(file: FoundFile, shown: string): Uint8Array {
  const handle = openSync(file.path, 'r')
  try {
    const tail = readAt(handle, Math.max(0, file.size - TAIL), Math.min(TAIL, file.size))
    if (file.size < 12 || latin(tail.subarray(-4)) !== MAGIC) {
      const end = latin(tail.subarray(-4)) === 'PARE' ? 'it is encrypted' : 'it does not end as one'
      throw broken(shown, end)
    }
    const length = new DataView(tail.buffer, tail.byteOffset).getUint32(tail.length - 8, true)
    if (length + 12 > file.size) {
      throw broken(shown, `its footer is said to be ${length} bytes long, the file has ${file.size}`)
    }
    return length + 8 <= tail.length ? tail : readAt(handle, file.size - length - 8, length + 8)
  } finally {
    closeSync(handle)
  }
}

function readAt(handle: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const read = readSync(handle, bytes, done, length - done, position + done)
    if (read === 0) break
    done += read
  }
  return bytes.subarray(0, done)
}

function columnsOf(metadata: FileMetaData): FooterColumn[] {
  const chunks = metadata.row_groups.map(
    ({ columns }) =>
      new Map(
        columns.flatMap(({ meta_data }) =>
          meta_data?.path_in_schema.length === 1 ? [[meta_data.path_in_schema[0], meta_data]] : [],
        ),
      ),
  )
  return parquetSchema(metadata).children.map((child) => {
    const { name, logical_type } = child.element
    const isLeaf = child.children.length === 0
    const groups = metadata.row_groups.map(({ num_rows }, index) => ({
      rows: Number(num_rows),
      statistics: isLeaf ? chunks[index]?.get(name)?.statistics : undefined,
    }))
    return {
      name,
      signature: shared(signature(child)),
      time: timeOf(child.element),
      range: isLeaf ? rangeOf(groups) : undefined,
      isVoid: logical_type?.type === 'NULL' || groups.every(isNull),
    }
  })
}

/** One column's part of a row group. */
interface Chunk {
  rows: number
  statistics: Statistics | undefined
}

/** A row group without statistics has a count of nulls that is no number. */
function isNull({ rows, statistics }: Chunk): boolean {
  return rows === 0 || Number(statistics?.null_count ?? -1n) === rows
}

function firstPage(metadata: FileMetaData): number | undefined {
  const chunk = metadata.row_groups[0]?.columns[0]?.meta_data
  return chunk === undefined ? undefined : Number(chunk.dictionary_page_offset ?? chunk.data_page_offset)
}

function shared(text: string): string {
  const same = signatures.get(text)
  if (same !== undefined) return same
  signatures.set(text, text)
  return text
}

/** As DuckDB reads it: a timestamp by the old annotation alone, or INT96, is a wall time. */
function timeOf({ type, converted_type, logical_type }: SchemaElement): FooterColumn['time'] {
  if (logical_type?.type === 'TIMESTAMP') return logical_type.isAdjustedToUTC ? 'instant' : 'naive'
  if (type === 'INT96' || converted_type === 'TIMESTAMP_MICROS' || converted_type === 'TIMESTAMP_MILLIS')
    return 'naive'
  return converted_type === 'DATE' || logical_type?.type === 'DATE' ? 'date' : undefined
}

/** Repetition counts only below the top: a column may be required in one file and optional in another. */
function signature(tree: SchemaTree, below = false): string {
  const { type, type_length, repetition_type, converted_type, logical_type, scale, precision, name } =
    tree.element
  const own = [type, type_length, converted_type, JSON.stringify(logical_type), scale, precision]
  const repeated = below ? [name, repetition_type] : [repetition_type === 'REPEATED']
  return JSON.stringify([...own, ...repeated, tree.children.map((child) => signature(child, true))])
}

function rangeOf(chunks: Chunk[]): Range | undefined {
  let range: Range | undefined
  for (const chunk of chunks) {
    const { statistics } = chunk
    const min = statistics?.min_value ?? statistics?.min
    const max = statistics?.max_value ?? statistics?.max
    if (typeof min === 'bigint' && typeof max === 'bigint') {
      range =
        range === undefined
          ? { min, max }
          : { min: min < range.min ? min : range.min, max: max > range.max ? max : range.max }
    } else if (!isNull(chunk)) {
      // A row group without statistics that is not all null: the range of the file is unknown.
      return undefined
    }
  }
  return range
}

/** hyparquet's parsers make Dates of milliseconds; bounds have to be exact. Nanoseconds are cut to whole microseconds. */
const RAW = {
  timestampFromMilliseconds: (value: bigint) => value * 1000n,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => floorDiv(value, 1000n),
  dateFromDays: (value: number) => BigInt(value),
}

function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function broken(shown: string, why: string, cause?: unknown): Failure {
  return new Failure('contract', `${shown} is not a whole Parquet file: ${why}. Have it written again`, {
    cause,
    evidence: { file: shown },
  })
}

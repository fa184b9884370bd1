import type { ColumnChunk, FileMetaData, RowGroup } from 'hyparquet'
import { readColumn } from 'hyparquet/src/column.js'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { getSchemaPath } from 'hyparquet/src/schema.js'
import { compressors } from 'hyparquet-compressors'
import type { Engine } from '../engine/duckdb.ts'
import type { Column, WrittenFile } from '../engine/facts.ts'
import { parquet } from '../engine/quote.ts'
import {
  compareValues,
  type EntityValue,
  entityValues,
  physicalElement,
  shownValue,
  valueSql,
  valueText,
} from './entity-values.ts'
import { columnsOf, differs, metadataOf, openFooter } from './footer.ts'
import { hashFile, readBytes, syncFile } from './sync.ts'

export interface ReadBackRequest {
  /** The engine that wrote the file, or another that may read it. */
  engine: Engine
  path: string
  /** Columns whose values are compared, by which the rows are sorted. */
  entity: string[]
  /** What the file should hold. Default: what DuckDB says of the file. */
  columns?: Column[]
  /** Rows that were written. */
  rows: number
  metadata: Record<string, string>
}

/** Rows compared one by one at either end of the first and of the last row group. */
const EDGE = 1_000

/**
 * Syncs a file that DuckDB wrote, hashes it, and reads it with a second implementation that shares no code with the
 * first: number of rows, columns with their types, key-value metadata, the entity values of the first and last row
 * groups (whole, and at their edges the same as DuckDB's) and their order. Takes some 100 ms beside DuckDB's own
 * work. Throws a Failure of class `resource` where the two disagree: what is on the disk is not what was written.
 */
export async function readBack(request: ReadBackRequest): Promise<WrittenFile> {
  const { path, rows, metadata } = request
  await syncFile(path)
  const hashed = hashFile(path)
  // Settled below in any case: an error of the comparison must not leave it unheard.
  hashed.catch(() => {})
  const columns = request.columns ?? (await describe(request.engine, path))
  const footer = await openFooter(path)
  const found = metadataOf(footer)
  expectSame(path, 'rows', rows, Number(footer.num_rows))
  expectSame(
    path,
    'columns',
    columns.map(columnText).join(', '),
    columnsOf(footer).map(columnText).join(', '),
  )
  for (const [key, value] of Object.entries(metadata)) expectSame(path, `metadata ${key}`, value, found[key])
  await compareEntities(request, columns, footer)
  return { path, rows, ...(await hashed), columns, metadata: found }
}

function columnText({ name, type }: Column): string {
  return `${name} ${type}`
}

async function describe(engine: Engine, path: string): Promise<Column[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(path)}`)
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
}

async function compareEntities(
  request: ReadBackRequest,
  columns: Column[],
  footer: FileMetaData,
): Promise<void> {
  const { path, entity } = request
  const last = footer.row_groups.length - 1
  for (const index of new Set([0, last])) {
    const group = footer.row_groups[index]
    if (group === undefined || Number(group.num_rows) === 0) continue
    const start = footer.row_groups.slice(0, index).reduce((sum, { num_rows }) => sum + Number(num_rows), 0)
    const values: Values[] = []
    for (const name of entity) values.push(await readValues(path, footer, group, name))
    const length = Number(group.num_rows)
    for (const read of values) expectSame(path, `rows of row group ${index}`, length, read.length)
    expectSorted(path, entity, values, start)
    for (const from of new Set([0, Math.max(0, length - EDGE)])) {
      const to = Math.min(length, from + EDGE)
      await compareEdge(request, columns, values, { start, from, to })
    }
  }
}

type Values = ArrayLike<EntityValue>

/** One column of one row group, decoded at once: an asynchronous read of a torn file can end the process. */
async function readValues(
  path: string,
  footer: FileMetaData,
  group: RowGroup,
  name: string,
): Promise<Values> {
  const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === name)
  if (chunk?.meta_data === undefined) throw differs(path, `column ${name}`, 'values', 'none')
  const { meta_data } = chunk
  try {
    const bytes = await readChunk(path, chunk)
    const schemaPath = getSchemaPath(footer.schema, meta_data.path_in_schema)
    const element = schemaPath.at(-1)?.element
    if (element === undefined) throw new Error('its schema element is missing')
    const length = Number(group.num_rows)
    const { data } = readColumn(
      { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 },
      { groupStart: 0, selectStart: 0, selectEnd: length, groupRows: length },
      {
        pathInSchema: meta_data.path_in_schema,
        type: meta_data.type,
        element: physicalElement(element),
        schemaPath,
        codec: meta_data.codec,
        parsers: DEFAULT_PARSERS,
        utf8: false,
        compressors,
      },
    )
    const parts = data.map((part) => entityValues(part, element))
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : parts.flatMap((part) => Array.from(part))
  } catch (cause) {
    throw differs(
      path,
      `column ${name}`,
      'values',
      `an error of the second reader (${cause instanceof Error ? cause.message : String(cause)})`,
      cause,
    )
  }
}

function readChunk(path: string, { meta_data }: ColumnChunk): Promise<Uint8Array> {
  const start = Number(meta_data?.dictionary_page_offset ?? meta_data?.data_page_offset ?? 0)
  return readBytes(path, start, Number(meta_data?.total_compressed_size ?? 0))
}

async function compareEdge(
  { engine, path, entity }: ReadBackRequest,
  columns: Column[],
  values: Values[],
  { start, from, to }: { start: number; from: number; to: number },
): Promise<void> {
  const fields = entity.map(
    (name, index) =>
      `${valueSql(name, columns.find((column) => column.name === name)?.type ?? '')} AS v${index}`,
  )
  const ours = await engine.rows(
    `SELECT ${fields.join(', ')} FROM ${parquet(path, { rowNumbers: true })}
      WHERE file_row_number >= ${start + from} AND file_row_number < ${start + to} ORDER BY file_row_number`,
  )
  expectSame(path, `rows ${start + from} to ${start + to}`, ours.length, to - from)
  ours.forEach((row, offset) => {
    values.forEach((read, index) => {
      const [theirs, written] = [valueText(read[from + offset]), valueText(row[`v${index}`])]
      if (theirs !== written)
        throw differs(path, `${entity[index]} of row ${start + from + offset}`, written, theirs)
    })
  })
}

function expectSorted(path: string, entity: string[], values: Values[], start: number): void {
  const length = values[0]?.length ?? 0
  for (let row = 1; row < length; row++) {
    for (const [index, column] of values.entries()) {
      const order = compareValues(column[row - 1], column[row])
      if (order > 0)
        throw differs(
          path,
          `order of ${entity[index]} at row ${start + row}`,
          'sorted',
          `${shownValue(column[row - 1])} before ${shownValue(column[row])}`,
        )
      if (order < 0) break
    }
  }
}

function expectSame(path: string, what: string, written: unknown, read: unknown): void {
  if (written !== read) throw differs(path, what, String(written), String(read))
}

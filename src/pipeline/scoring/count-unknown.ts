import { readFile } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { UnknownValues } from '../engine/facts.ts'
import { double, literal } from '../engine/quote.ts'
import type { Step } from '../onnx/input-layout.ts'
import { describeModel } from '../onnx/inspect.ts'
import type { MappingPlan, PlannedColumn, PlannedInput } from '../onnx/mapping.ts'
import type { Vocabulary } from '../onnx/vocabulary.ts'
import { expression } from './tensors.ts'

const EXAMPLES = 5
const SHOWN = 20
const FEW_VALUES = 20

/** Vocabularies of a version: kept with it, else read from its file, as of versions of builds before 2026-11-28. */
export async function vocabulariesOf(mapping: MappingPlan, file: string): Promise<Vocabulary[]> {
  return mapping.vocabularies ?? describeModel(await readFile(file)).vocabularies
}

/**
 * Counts in one pass the rows whose value a model does not know, column by column, as its tensors receive them: a null
 * is what `fill` puts in its place. Some 20 ms of processor time for a million rows of a text column.
 */
export async function countUnknown(
  connection: DuckDBConnection,
  from: string,
  { inputs }: Pick<MappingPlan, 'inputs'>,
  vocabularies: Vocabulary[],
): Promise<UnknownValues[]> {
  const columns = inputs.flatMap((input) =>
    input.columns.flatMap((column, index) => {
      const own = vocabularies.filter((each) => each.input === input.name && each.index === index)
      return own.length === 0 ? [] : [{ column, input, own, where: isUnknown(column, input, own) }]
    }),
  )
  if (columns.length === 0) return []
  const counts = columns.map((_, place) => `count_if(u${place})`)
  const wheres = columns.map(({ where }, place) => `${where} AS u${place}`)
  const reader = await connection.runAndReadAll(
    `SELECT ${['count(*)', ...counts].join(', ')} FROM (SELECT ${wheres.join(', ')} FROM ${from})`,
  )
  const [rows = 0, ...unknown] = (reader.getRows()[0] ?? []).map(Number)
  const found: UnknownValues[] = []
  for (const [place, { column, input, own, where }] of columns.entries()) {
    const values = own[0]?.values ?? []
    const count = unknown[place] ?? 0
    found.push({
      column: column.name,
      rows,
      unknown: count,
      examples:
        count === 0 ? [] : await examples(connection, from, { value: shown(column, input, own), where }),
      known: values.slice(0, SHOWN),
      knows: values.length,
      kind: own[0]?.kind ?? 'encoder',
      refuses: own.some(({ refuses }) => refuses),
    })
  }
  return found
}

/** A value as the tensor gets it; of a number that the model turns into a text, the text. */
function shown(column: PlannedColumn, { element }: PlannedInput, [first]: Vocabulary[]): string {
  const value = expression(column, element)
  const looked = lookedUp(value, element === 'string', first?.steps ?? [])
  return element !== 'string' && looked.text ? looked.sql : value
}

async function examples(
  connection: DuckDBConnection,
  from: string,
  { value, where }: { value: string; where: string },
): Promise<UnknownValues['examples']> {
  const reader = await connection.runAndReadAll(
    `SELECT coalesce((${value})::VARCHAR, 'null') AS value, count(*) AS rows FROM ${from} WHERE ${where}
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${EXAMPLES}`,
  )
  return reader.getRows().map(([text, rows]) => ({ value: storable(String(text)), rows: Number(rows) }))
}

/** The ledger's jsonb takes neither NUL nor half a character; an example need not be long. */
function storable(text: string): string {
  return Array.from(text).slice(0, 200).join('').replaceAll('\u0000', '\\0')
}

function isUnknown(column: PlannedColumn, { element }: PlannedInput, vocabularies: Vocabulary[]): string {
  const text = element === 'string'
  const wheres = vocabularies.map(({ steps, values }) => {
    const looked = lookedUp(expression(column, element), text, steps)
    const known = values.map((value) => constant(value, looked.text)).join(', ')
    // A long list of IN is gone through row by row: 10,000 values took 52 s of processor time for a million rows, a join takes 0.13 s.
    const set = values.length <= FEW_VALUES ? known : `SELECT unnest([${known}])`
    return `(${looked.sql} IN (${set})) IS NOT TRUE`
  })
  return wheres.join(' OR ')
}

/** A column's value as the place that knows it sees it; numbers as DOUBLE. */
function lookedUp(base: string, text: boolean, steps: Step[]): { sql: string; text: boolean } {
  let value = { sql: text ? base : `(${base})::DOUBLE`, text }
  for (const step of steps) value = after(value, step)
  return value
}

function after({ sql, text }: { sql: string; text: boolean }, step: Step): { sql: string; text: boolean } {
  switch (step.step) {
    case 'lower':
    case 'upper':
      return { sql: `${step.step}(${sql})`, text }
    case 'number':
      return { sql: `TRY_CAST(${sql} AS DOUBLE)`, text: false }
    case 'integer':
      return { sql: `trunc(${sql})`, text: false }
    case 'text':
      return { sql: `TRY_CAST(${sql} AS BIGINT)::VARCHAR`, text: true }
    case 'digits':
      return { sql: digits(sql), text: true }
    case 'replace': {
      const [value, by] = [constant(step.value, text), constant(step.by, text)]
      return { sql: `(CASE WHEN ${sql} = ${value} THEN ${by} ELSE ${sql} END)`, text }
    }
  }
}

/** A number as ONNX Runtime writes it, with eight digits: 1 and not 1.0, 1e+10, NaN, -INF. */
function digits(sql: string): string {
  return `(CASE WHEN isnan(${sql}) THEN 'NaN' WHEN isinf(${sql}) THEN if(${sql} < 0, '-INF', 'INF') ELSE printf('%.8g', ${sql}) END)`
}

function constant(value: string | number, text: boolean): string {
  return text ? literal(String(value)) : double(Number(value))
}

/** Names of text columns of which the file does not say what the model knows. */
export function unreadColumns({ inputs }: Pick<MappingPlan, 'inputs'>, vocabularies: Vocabulary[]): string[] {
  return inputs
    .filter(({ element }) => element === 'string')
    .flatMap(({ name, columns }) =>
      columns
        .filter((_, index) => !vocabularies.some((each) => each.input === name && each.index === index))
        .map((column) => column.name),
    )
}

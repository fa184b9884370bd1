import type { DuckDBConnection } from '@duckdb/node-api'
import { nearestName } from '../../project/files/nearest.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'
import { misfit } from '../onnx/element.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { nullFree } from '../scoring/tensors.ts'

/**
 * Whether features can be fed as planned, before the first row is scored: every column there, of a type that still
 * fits, without nulls where the tensor has no value for them. Returns the number of rows.
 * Throws a Failure of class `contract` that names the column, the input and the count.
 */
export async function examineFeatures(
  connection: DuckDBConnection,
  from: string,
  mapping: MappingPlan,
): Promise<number> {
  const columns = await describe(connection, from)
  const names = columns.map(({ name }) => name)
  for (const { name: input, element, columns: wanted } of mapping.inputs) {
    for (const { name } of wanted) {
      const column = columns.find((each) => each.name === name)
      if (column === undefined) throw missing(name, input, names)
      const problem = misfit(column, element)
      if (problem !== undefined) {
        throw new Failure('contract', `input ${input} (${element}): ${problem}`, {
          evidence: { column: name, input },
        })
      }
    }
  }
  return countRows(connection, from, mapping)
}

function missing(column: string, input: string, names: string[]): Failure {
  const near = nearestName(column, names)
  return new Failure(
    'contract',
    `the features have no column ${column}, which input ${input} of the model takes; they have: ${names.join(', ')}` +
      (near === undefined ? '' : `; did you mean ${near}?`),
    { evidence: { column, input } },
  )
}

async function describe(connection: DuckDBConnection, from: string): Promise<Column[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`)
  return reader.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }))
}

async function countRows(connection: DuckDBConnection, from: string, mapping: MappingPlan): Promise<number> {
  const strict = nullFree(mapping)
  const counts = strict.map(({ column }) => `count(*) - count(${identifier(column)})`)
  const reader = await connection.runAndReadAll(`SELECT ${['count(*)', ...counts].join(', ')} FROM ${from}`)
  const [rows = 0, ...nulls] = (reader.getRows()[0] ?? []).map(Number)
  for (const [index, { column, input }] of strict.entries()) {
    const found = nulls[index] ?? 0
    if (found === 0) continue
    throw new Failure(
      'contract',
      `column ${column} is null in ${found} of ${rows} rows, and input ${input.name} (${input.element}) of the model ` +
        `takes no nulls: give the view a value for it in view.yaml (fill: { ${column}: ... }) and register the model ` +
        'again, or write coalesce in features.sql',
      { evidence: { column, input: input.name, nulls: found, rows } },
    )
  }
  return rows
}

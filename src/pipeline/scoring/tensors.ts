import type { DuckDBDataChunk } from '@duckdb/node-api'
import { identifier, literal } from '../engine/quote.ts'
import type { Element } from '../onnx/element.ts'
import type { MappingPlan, PlannedColumn, PlannedInput } from '../onnx/mapping.ts'

/** The values of one model input, row-major: rows x columns. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | string[]

/** Rows on their way to the model: one entry per input of the plan, with room for `capacity` rows. */
export interface Batch {
  rows: number
  capacity: number
  tensors: TensorData[]
}

export function allocate({ inputs }: MappingPlan, capacity: number): Batch {
  const tensors = inputs.map(({ element, columns }) => createTensor(element, capacity * columns.length))
  return { rows: 0, capacity, tensors }
}

/** A tensor's values before any is known: zeros, or empty texts. */
export function createTensor(element: Element, length: number): TensorData {
  switch (element) {
    case 'float32':
      return new Float32Array(length)
    case 'float64':
      return new Float64Array(length)
    case 'int32':
      return new Int32Array(length)
    case 'int64':
      return new BigInt64Array(length)
    case 'bool':
      return new Uint8Array(length)
    case 'string':
      return new Array<string>(length).fill('')
  }
}

/**
 * The SELECT list that gives the plan's columns, input by input, in the tensors' own types: DuckDB casts and
 * replaces nulls as fast as it reads (1,000,000 x 19 values: no difference), so that packing only copies.
 */
export function selectList({ inputs }: MappingPlan): string {
  return inputs
    .flatMap((input) => input.columns.map((column) => expression(column, input.element)))
    .join(',\n  ')
}

const SQL_TYPES: Record<Element, string> = {
  float32: 'FLOAT',
  float64: 'DOUBLE',
  int32: 'INTEGER',
  int64: 'BIGINT',
  bool: 'BOOLEAN',
  string: 'VARCHAR',
}

/** One column as its tensor receives it, in the tensor's own type. A fill stands for null and, of floats, for NaN. */
export function expression({ name, fill }: PlannedColumn, element: Element): string {
  const type = SQL_TYPES[element]
  const isFloat = type === 'FLOAT' || type === 'DOUBLE'
  const cast = `${identifier(name)}::${type}`
  const present = isFloat && fill !== null ? `nullif(${cast}, 'nan'::${type})` : cast
  const missing = fill === null && !isFloat ? null : literal(fill ?? 'nan')
  const value = missing === null ? present : `coalesce(${present}, ${missing}::${type})`
  return element === 'bool' ? `(${value})::UTINYINT` : value
}

/** Columns that must not hold a null: their tensors have no value for it, and the view gives none. */
export function nullFree({ inputs }: MappingPlan): { column: string; input: PlannedInput }[] {
  return inputs
    .filter(({ element }) => element !== 'float32' && element !== 'float64')
    .flatMap((input) =>
      input.columns.filter(({ fill }) => fill === null).map(({ name }) => ({ column: name, input })),
    )
}

/** Copies rows `from` to `from + count` of a chunk of `selectList`'s columns behind the batch's rows. */
export function pack(
  chunk: DuckDBDataChunk,
  plan: MappingPlan,
  batch: Batch,
  from: number,
  count: number,
): void {
  let index = 0
  for (const [position, { columns }] of plan.inputs.entries()) {
    const target = batch.tensors[position]
    for (let column = 0; column < columns.length; column++) {
      const place = { start: batch.rows * columns.length + column, stride: columns.length }
      copy(chunk, index, target, place, from, count)
      index += 1
    }
  }
  batch.rows += count
}

interface Place {
  start: number
  stride: number
}

function copy(
  chunk: DuckDBDataChunk,
  index: number,
  target: TensorData | undefined,
  { start, stride }: Place,
  from: number,
  count: number,
): void {
  const vector = chunk.getColumnVector(index)
  if (Array.isArray(target)) {
    for (let row = 0; row < count; row++) target[start + row * stride] = String(vector.getItem(from + row))
    return
  }
  // The vector's array over DuckDB's memory is private in its type: reading it whole is ten times faster than by item.
  const items: unknown = Reflect.get(vector, 'items')
  if (items instanceof Float32Array && target instanceof Float32Array)
    interleave(items, target, start, stride, from, count)
  else if (items instanceof Float64Array && target instanceof Float64Array)
    interleave(items, target, start, stride, from, count)
  else if (items instanceof Int32Array && target instanceof Int32Array)
    interleave(items, target, start, stride, from, count)
  else if (items instanceof Uint8Array && target instanceof Uint8Array)
    interleave(items, target, start, stride, from, count)
  else if (items instanceof BigInt64Array && target instanceof BigInt64Array) {
    for (let row = 0; row < count; row++) target[start + row * stride] = items[from + row] ?? 0n
  } else throw new Error(`column ${index} came as ${vector.type}, which does not go into this tensor`)
}

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array

function interleave(
  items: Numbers,
  target: Numbers,
  start: number,
  stride: number,
  from: number,
  count: number,
): void {
  if (stride === 1) {
    target.set(items.subarray(from, from + count), start)
    return
  }
  let place = start
  for (let row = from; row < from + count; row++) {
    target[place] = items[row] ?? 0
    place += stride
  }
}

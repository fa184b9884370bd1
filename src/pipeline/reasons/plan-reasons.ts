import { readFile } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { runnableBytes } from '../onnx/graph.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import type { Scorers } from '../scoring/scorers.ts'
import { allocate, type Batch, pack, selectList, type TensorData } from '../scoring/tensors.ts'
import { marginsOf, numbersOf, withSteps } from './forest.ts'
import { readForests, type Trees } from './read-forest.ts'
import type { ReasonPlan } from './reason-plan.ts'

/** The most rows of a night that its reasons are measured against. */
export const BACKGROUND_ROWS = 10_000
/** Scores of float32 models and sums of their trees in doubles differ by rounding. */
const ROUNDING = 1e-4

export interface ReasonsRequest {
  connection: DuckDBConnection
  /** What stands after FROM: the night's features, and how many rows. */
  from: string
  rows: number
  /** Path of the ONNX file. */
  model: string
  mapping: MappingPlan
  scorers: Scorers
  count: number
}

/** A plan, with what the night's reasons are measured against. */
export interface Background {
  plan: ReasonPlan
  /** Rows that were looked at, evenly spread over the night. */
  rows: number
  /** The typical values: medians of numbers, the most frequent of others. */
  typical: TensorData[]
}

/**
 * Decides how reasons are found: along the paths of the trees if the scores of the background are a function of one
 * tree ensemble's margin (tried, not assumed), else by occlusion.
 */
export async function planReasons(request: ReasonsRequest): Promise<Background> {
  const { mapping, scorers, model, count } = request
  const batch = await background(request)
  const answer = await scorers.score(batch)
  const { tensors } = answer
  const typical = mapping.inputs.map(({ columns, element }, index) =>
    typicalOf(tensors[index], columns.length, element === 'bool'),
  )
  const paths = pathsOf(await readFile(model), mapping, tensors, answer.scores)
  const plan: ReasonPlan =
    paths === undefined ? { method: 'occlusion', count, typical, unit: 'score' } : { ...paths, count }
  return { plan, rows: batch.rows, typical }
}

async function background({ connection, from, rows, mapping }: ReasonsRequest): Promise<Batch> {
  const step = Math.max(1, Math.ceil(rows / BACKGROUND_ROWS))
  const capacity = Math.ceil(rows / step)
  const batch = allocate(mapping, capacity)
  const result = await connection.stream(
    `SELECT ${selectList(mapping)} FROM (SELECT *, row_number() OVER () AS _place FROM ${from}) WHERE (_place - 1) % ${step} = 0`,
  )
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk())
    pack(chunk, mapping, batch, 0, Math.min(chunk.rowCount, capacity - batch.rows))
  return batch
}

type Paths = Omit<Extract<ReasonPlan, { method: 'paths' }>, 'count'>

/** How a margin becomes a score. */
const LINKS: { of: (margin: number) => number; sign: number; unit: Paths['unit'] }[] = [
  { of: (margin) => margin, sign: 1, unit: 'score' },
  { of: logistic, sign: 1, unit: 'log-odds' },
  { of: (margin) => 1 - margin, sign: -1, unit: 'score' },
  { of: (margin) => logistic(-margin), sign: -1, unit: 'log-odds' },
]

function logistic(margin: number): number {
  return 1 / (1 + Math.exp(-margin))
}

function pathsOf(
  bytes: Uint8Array,
  mapping: MappingPlan,
  tensors: TensorData[],
  scores: Float64Array,
): Paths | undefined {
  const values = numbersOf(tensors[0])
  const width = mapping.inputs[0]?.columns.length ?? 0
  if (values === undefined || mapping.inputs.length !== 1 || scores.length === 0) return undefined
  const forests: Trees[] = readForests(mapping.zipMap ? runnableBytes(bytes) : bytes)
  for (const trees of forests) {
    const margins = marginsOf(trees, values, width)
    const link = LINKS.find(({ of }) => scores.every((score, row) => near(of(margins[row] ?? 0), score)))
    if (link === undefined) continue
    return { method: 'paths', forest: withSteps(trees, values, width), sign: link.sign, unit: link.unit }
  }
  return undefined
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING * Math.max(1, Math.abs(b))
}

/** One row of typical values of a matrix. */
function typicalOf(data: TensorData | undefined, width: number, truth: boolean): TensorData {
  if (data === undefined) return []
  if (Array.isArray(data)) return columnwise(width, (column) => mostFrequent(every(data, width, column)))
  const row = data.slice(0, width)
  for (let column = 0; column < width; column++) {
    const values = every<number | bigint>(data, width, column)
    const value = truth ? mostFrequent(values) : median(values)
    if (value !== undefined) row[column] = value
  }
  return row
}

function columnwise(width: number, of: (column: number) => string | undefined): string[] {
  return Array.from({ length: width }, (_, column) => of(column) ?? '')
}

function every<Value>(data: ArrayLike<Value>, width: number, column: number): Value[] {
  const values: Value[] = []
  for (let place = column; place < data.length; place += width) {
    const value = data[place]
    if (value !== undefined) values.push(value)
  }
  return values
}

/** The lower of the middle values that are numbers; undefined where none is. */
function median(values: (number | bigint)[]): number | bigint | undefined {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return known[Math.floor((known.length - 1) / 2)]
}

/** Of equally frequent values the smallest. */
function mostFrequent<Value extends string | number | bigint>(values: Value[]): Value | undefined {
  const counts = new Map<Value, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0]
}

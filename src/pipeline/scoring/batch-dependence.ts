import type { DuckDBConnection } from '@duckdb/node-api'
import type { MappingPlan } from '../onnx/mapping.ts'
import { infer } from './inference.ts'
import type { Scorers } from './scorers.ts'

export interface DependenceRequest {
  connection: DuckDBConnection
  /** What stands after FROM: rows with their numbers as `file_row_number`. */
  from: string
  mapping: MappingPlan
  scorers: Scorers
}

/** Odd, and small: a mean or a maximum over so few rows is never that over all. */
const FEW = 7

/**
 * Whether the score of a row depends on the rows that are scored with it, such as by a mean over rows: what is wrong in
 * one sentence, undefined where it does not. The rows are scored in one batch, in halves, and in another order by
 * sevens. Holds all scores in memory: for the rows of a trial.
 */
export async function batchDependence(request: DependenceRequest): Promise<string | undefined> {
  const { mapping } = request
  const inOrder = `(SELECT * FROM ${request.from} ORDER BY file_row_number)`
  // Neighbours are parted: a file that fixes the rows of a call would be given the same groups again.
  const shuffled = `(SELECT * FROM ${request.from} ORDER BY hash(file_row_number), file_row_number)`
  const rows = await rowNumbers(request.connection, inOrder)
  if (rows.length < 2) return undefined
  const whole = await scores(request, inOrder, rows.length)
  const rounding = roundingOf(whole, mapping)
  const others = [
    { how: 'in two halves', order: inOrder, batch: Math.ceil(rows.length / 2) },
    { how: `in another order, ${FEW} by ${FEW}`, order: shuffled, batch: FEW },
  ]
  for (const { how, order, batch } of others) {
    const again = await scores(request, order, batch)
    const places = order === inOrder ? rows : await rowNumbers(request.connection, order)
    const place = new Map(rows.map((row, index) => [row, index]))
    for (const [index, row] of places.entries()) {
      const [before = Number.NaN, after = Number.NaN] = [whole[place.get(row) ?? -1], again[index]]
      if (isSame(before, after, rounding)) continue
      const found = `row ${row} has the score ${before} among all ${rows.length} rows, and ${after} when they are scored ${how}`
      const repeated = await scores(request, inOrder, rows.length)
      return whole.every((score, at) => isSame(score, repeated[at] ?? Number.NaN, rounding))
        ? `the score of a row depends on the rows that it is scored with: ${found}. A night is scored in batches, and its scores would be other ones each time: ` +
            'export the model so that it computes each row by itself (no mean, norm or rank over rows; batch normalization in inference mode)'
        : `the same rows get other scores each time that they are scored: ${found}. Export the model in inference mode, without random numbers`
    }
  }
  return undefined
}

/**
 * Kernels for other numbers of rows may add in another order. So much of the largest score is rounding; a mean over
 * seven rows is off by far more.
 */
function roundingOf(scores: Float64Array, { output }: MappingPlan): number {
  const largest = scores.reduce(
    (most, score) => (Number.isFinite(score) ? Math.max(most, Math.abs(score)) : most),
    0,
  )
  return largest * (output.type === 'float32' ? 1e-4 : 1e-9)
}

function isSame(a: number, b: number, rounding: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= rounding
}

async function scores(
  { connection, mapping, scorers }: DependenceRequest,
  from: string,
  batch: number,
): Promise<Float64Array> {
  const parts: Float64Array[] = []
  await infer({ connection, from, mapping, scorers, batch, onScores: (part) => parts.push(part) })
  return Float64Array.from(parts.flatMap((part) => [...part]))
}

async function rowNumbers(connection: DuckDBConnection, from: string): Promise<number[]> {
  const reader = await connection.runAndReadAll(`SELECT file_row_number::DOUBLE FROM ${from}`)
  return reader.getRows().map(([row]) => Number(row))
}

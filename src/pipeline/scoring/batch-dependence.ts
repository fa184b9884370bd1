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
 * one sentence, undefined where it does not. The rows are scored in one batch, in halves and in sevens, and in other
 * sevens. Holds all scores in memory: for the rows of a trial.
 */
export async function batchDependence(request: DependenceRequest): Promise<string | undefined> {
  const inOrder = `(SELECT * FROM ${request.from} ORDER BY file_row_number)`
  const rows = await numbers(request.connection, 'file_row_number', inOrder)
  if (rows.length < 2) return undefined
  const whole = await scores(request, inOrder, rows.length)
  const found = await firstOther(request, { rows, whole, inOrder })
  if (found === undefined) return undefined
  const repeated = await scores(request, inOrder, rows.length)
  const told = `row ${rows[found.place]} has the score ${found.score} ${found.among}, and ${found.other} ${found.how}`
  return whole.every((score, at) => isSame(score, repeated[at] ?? Number.NaN, 0))
    ? `the score of a row depends on the rows that it is scored with: ${told}. A night is scored in batches, and its scores would be other ones each time: ` +
        'export the model so that it computes each row by itself (no mean, norm or rank over rows; batch normalization in inference mode)'
    : `the same rows get other scores each time that they are scored: ${told}. Export the model in inference mode, without random numbers`
}

/** A row that gets another score: its place among the rows, both scores, and beside what each was computed. */
interface Other {
  place: number
  score: number
  among: string
  other: number
  how: string
}

async function firstOther(
  request: DependenceRequest,
  { rows, whole, inOrder }: { rows: number[]; whole: Float64Array; inOrder: string },
): Promise<Other | undefined> {
  const rounding = roundingOf(whole, request.mapping)
  const few = callSize(rows.length, request.mapping)
  const sevens = await scores(request, inOrder, few)
  const parts = [
    {
      how: 'when they are scored in two halves',
      scored: await scores(request, inOrder, Math.ceil(rows.length / 2)),
    },
    { how: `when they are scored ${few} by ${few}`, scored: sevens },
  ]
  for (const { how, scored } of parts) {
    const place = whole.findIndex((score, at) => !isSame(score, scored[at] ?? Number.NaN, rounding))
    if (place >= 0)
      return otherOf({
        place,
        before: whole,
        after: scored,
        at: place,
        among: `among all ${rows.length} rows`,
        how,
      })
  }
  const calls = Math.floor(rows.length / few)
  if (calls < 2) return undefined
  const mixed = `(SELECT * FROM (SELECT *, row_number() OVER (ORDER BY file_row_number) - 1 AS _place FROM ${request.from})
    WHERE _place < ${calls * few} ORDER BY (_place // ${few} + _place % ${few}) % ${calls}, _place % ${few})`
  const places = await numbers(request.connection, '_place', mixed)
  const scored = await scores(request, mixed, few)
  const at = places.findIndex(
    (place, index) => !isSame(sevens[place] ?? Number.NaN, scored[index] ?? Number.NaN, 0),
  )
  if (at < 0) return undefined
  const among = `beside ${few - 1} rows`
  return otherOf({
    place: places[at] ?? 0,
    before: sevens,
    after: scored,
    at,
    among,
    how: `beside ${few - 1} others`,
  })
}

/** Rows of a small call; a file that fixes them takes whole multiples. */
function callSize(rows: number, { batch }: MappingPlan): number {
  const step = batch ?? 1
  return Math.ceil(Math.max(1, Math.min(FEW, Math.floor(rows / 2))) / step) * step
}

function otherOf({
  place,
  before,
  after,
  at,
  ...words
}: {
  place: number
  before: Float64Array
  after: Float64Array
  /** Its place among `after`. */
  at: number
  among: string
  how: string
}): Other {
  return { place, score: before[place] ?? Number.NaN, other: after[at] ?? Number.NaN, ...words }
}

/**
 * Calls with other numbers of rows may take other kernels, which add in another order. So much of the largest score is
 * rounding; a mean over seven rows is off by far more. A call with as many rows, and each row in its place, takes the
 * same kernels: there a row by itself gets the same score to the last bit.
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

async function numbers(connection: DuckDBConnection, column: string, from: string): Promise<number[]> {
  const reader = await connection.runAndReadAll(`SELECT ${column}::DOUBLE FROM ${from}`)
  return reader.getRows().map(([row]) => Number(row))
}

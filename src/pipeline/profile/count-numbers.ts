import type { JS } from '@duckdb/node-api'
import type { Engine } from '../engine/duckdb.ts'
import { literal } from '../engine/quote.ts'
import type { CountedColumn } from './counted-column.ts'
import { EDGE_QUANTILES, edgesOf, nextBelow } from './edges.ts'
import { interpolate } from './interpolate.ts'
import type { NumberProfile } from './profile.ts'

/** What is counted: `from` and `sample` (all rows of it, or some) stand after FROM. */
export interface CountedRows {
  from: string
  rows: number
  sample: string
}

/** Beyond this a square is no number any more. */
const LARGE = 1e150

/**
 * Profiles of number columns: one statement for the extremes (Parquet's statistics answer it where they can), one for
 * the moments, one for histograms and distinct values, which may look at a sample. `edges` gives the edges of the baseline;
 * where it has none for a column they are made from the column itself.
 */
export async function countNumbers(
  engine: Engine,
  rows: CountedRows,
  columns: CountedColumn[],
  edges: (column: CountedColumn) => number[] | undefined,
): Promise<NumberProfile[]> {
  if (columns.length === 0) return []
  const extremes = await engine.row(
    `SELECT ${columns.map(({ extreme }, at) => `${extreme('min')} AS low${at}, ${extreme('max')} AS high${at}`).join(', ')} FROM ${rows.from}`,
  )
  const plain = columns.map((_, at) => !(isLarge(extremes[`low${at}`]) || isLarge(extremes[`high${at}`])))
  // NaN and infinities would make a sum of everything; where there are any, they are set aside first.
  const finite = columns.map(({ sql }, at) =>
    plain[at] ? sql : `CASE WHEN isfinite(${sql}) THEN ${sql} END`,
  )
  const own = await ownEdges(engine, rows, columns, finite, edges)
  const middle = columns.map((_, at) => {
    const [low, high] = [numberOf(extremes[`low${at}`]), numberOf(extremes[`high${at}`])]
    return plain[at] && Number.isFinite(low + high) ? (low + high) / 2 : 0
  })
  const moments = columns.map(({ sql }, at) => {
    const value = finite[at] ?? sql
    const moved = middle[at] === 0 ? value : `(${value} - ${middle[at]}::DOUBLE)`
    const careful = plain[at]
      ? ''
      : `, count(*) FILTER (NOT isfinite(${sql})) AS infinite${at}, min(${value}) AS low${at}, max(${value}) AS high${at}`
    return `count(${value}) AS n${at}, sum(${moved}) AS sum${at}, sum(${moved} * ${moved}) AS squares${at}${careful}`
  })
  const whole = await engine.row(`SELECT ${moments.join(', ')} FROM ${rows.from}`)
  const shapes = finite.map(
    (value, at) =>
      `map_values(histogram(${value}, ${bins(own[at] ?? [])})) AS counts${at}, approx_count_distinct(${value}) AS distinct${at}`,
  )
  const sample = await engine.row(`SELECT ${shapes.join(', ')} FROM ${rows.sample}`)
  return columns.map(({ name, type, score }, at) => {
    const values = numberOf(whole[`n${at}`])
    const infinite = plain[at] ? 0 : numberOf(whole[`infinite${at}`])
    const sampled = (own[at] ?? []).map((_, bin) => numbersOf(sample[`counts${at}`])[bin] ?? 0)
    sampled.push(numbersOf(sample[`counts${at}`])[sampled.length] ?? 0)
    const counts = scaled(sampled, values)
    const source = plain[at] ? extremes : whole
    const [low, high] = [numberOf(source[`low${at}`]), numberOf(source[`high${at}`])]
    const mean = numberOf(whole[`sum${at}`]) / values
    const variance = numberOf(whole[`squares${at}`]) / values - mean * mean
    return {
      kind: 'number',
      column: name,
      type,
      score,
      rows: rows.rows,
      nulls: rows.rows - values - infinite,
      distinct: Math.min(values, distinctOf(numberOf(sample[`distinct${at}`]), sum(sampled), values)),
      infinite,
      min: values === 0 ? null : low,
      max: values === 0 ? null : high,
      mean: finiteOr(mean + (middle[at] ?? 0)),
      // Of a constant the sums leave a last bit.
      sd: values === 0 ? null : low === high ? 0 : finiteOr(Math.sqrt(Math.max(0, variance))),
      quantiles: values === 0 ? null : interpolate(own[at] ?? [], counts, low, high),
      edges: own[at] ?? [],
      counts,
    }
  })
}

async function ownEdges(
  engine: Engine,
  rows: CountedRows,
  columns: CountedColumn[],
  finite: string[],
  edges: (column: CountedColumn) => number[] | undefined,
): Promise<number[][]> {
  const given = columns.map(edges)
  const wanted = given.flatMap((own, at) =>
    own === undefined ? [`quantile_disc(${finite[at]}, [${EDGE_QUANTILES.join(', ')}]) AS q${at}`] : [],
  )
  const found = wanted.length === 0 ? {} : await engine.row(`SELECT ${wanted.join(', ')} FROM ${rows.sample}`)
  return given.map((own, at) => own ?? edgesOf(numbersOf(found[`q${at}`])))
}

/** DuckDB's bins end with their edge, ours begin with it: so an edge is moved to the next smaller double. */
function bins(edges: number[]): string {
  const ends = [...edges.map(nextBelow), Number.MAX_VALUE].map((end) => literal(String(end)))
  return `[${ends.join(', ')}]::DOUBLE[]`
}

/** Counts of a sample brought to `total` rows, whole numbers with just that sum (the largest remainders go up). */
export function scaled(counts: number[], total: number): number[] {
  const sampled = sum(counts)
  if (sampled === total || sampled === 0) return counts
  const exact = counts.map((count) => (count * total) / sampled)
  const whole = exact.map(Math.floor)
  const order = exact.map((_, bin) => bin).sort((a, b) => remainder(exact, b) - remainder(exact, a))
  for (const bin of order.slice(0, total - sum(whole))) whole[bin] = (whole[bin] ?? 0) + 1
  return whole
}

function remainder(exact: number[], bin: number): number {
  return (exact[bin] ?? 0) % 1
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

/**
 * Different values of `rows` rows, from those of a sample: of D values that are equally frequent, `n` rows show
 * D (1 - exp(-n / D)). Low for columns of many rare values.
 */
export function distinctOf(found: number, n: number, rows: number): number {
  if (n >= rows || found === 0) return found
  if (found >= n * 0.98) return Math.round((rows * Math.min(found, n)) / n)
  let [low, high] = [found, rows * 100]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (shown(middle, n) < found) low = middle
    else high = middle
  }
  return Math.max(found, Math.round(shown(low, rows)))
}

function shown(values: number, rows: number): number {
  return values * -Math.expm1(-rows / values)
}

function numberOf(value: JS | undefined): number {
  return value === null || value === undefined ? Number.NaN : Number(value)
}

function numbersOf(value: JS | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : []
}

function isLarge(value: JS | undefined): boolean {
  return value !== null && value !== undefined && !(Math.abs(Number(value)) <= LARGE)
}

function finiteOr(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

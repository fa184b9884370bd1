import { realpath } from 'node:fs/promises'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { countedColumn } from '../profile/counted-column.ts'
import { edgesOf } from '../profile/edges.ts'
import { psi } from './psi.ts'

/** Files of a partition; `scores` where the column or a reference's rows need them. */
export interface SliceFiles {
  features: string
  scores?: string | undefined
}

export interface SlicesRequest {
  /** The reference's partitions, or its holdout. */
  reference: SliceFiles[]
  tonight: SliceFiles
  entity: string[]
  /** The column that moved. */
  column: string
  /** Columns whose values are slices, such as plan and region. Numbers among them are passed over. */
  by: string[]
  /** How many slices are returned. Default: 5. */
  top?: number | undefined
  temp: string
  threads: number
}

/** One value of a column, and how much of the shift it carries. */
export interface Slice {
  by: string
  /** `null` where it is null. */
  value: string
  rows: number
  reference_rows: number
  /** Of the moved column among these rows; null where one side has fewer than 50. */
  psi: number | null
  /** By which part the PSI falls where these rows are left out on both sides: 1 is all of it, below 0 it grows. */
  carried: number
}

export interface SliceFacts {
  column: string
  /** Over all rows, in bins of the reference's deciles. */
  psi: number
  /** Those that carry most first. */
  slices: Slice[]
}

/** Values of one column that are looked at, most rows tonight first. */
const VALUES = 50
const LEAST_ROWS = 50

/**
 * Which plans or regions carry the shift of a column. Each value is left out in turn: what the PSI of the others is
 * less, it carries. Takes one scan a column of `by`. Throws a TypeError for a column that is not there or not compared.
 */
export async function findSlices(request: SlicesRequest): Promise<SliceFacts> {
  const files = [...request.reference, request.tonight].flatMap(({ features, scores }) =>
    scores === undefined ? [features] : [features, scores],
  )
  const readable = await Promise.all(files.map((path) => realpath(path)))
  const engine = await openEngine({
    readable,
    writable: [],
    temp: request.temp,
    threads: request.threads,
    timezone: 'UTC',
  })
  try {
    const reference = await relation(request.reference, request.entity)
    const tonight = await relation([request.tonight], request.entity)
    const types = new Map(
      (await engine.rows(`DESCRIBE SELECT * FROM ${tonight}`)).map((row) => [
        String(row.column_name),
        String(row.column_type),
      ]),
    )
    const bin = await binSql(engine, reference, request.column, types)
    const slices: Slice[] = []
    let whole = 0
    for (const by of request.by) {
      const plan = countedColumn({ name: by, type: types.get(by) ?? '' }, false)
      if (by === request.column || typeof plan === 'string' || plan.kind !== 'category') continue
      const counts = await countSlices(engine, { reference, tonight, bin, by: plan.sql })
      whole = counts.whole
      slices.push(...counts.slices.map((slice) => ({ by, ...slice })))
    }
    slices.sort((a, b) => b.carried - a.carried || b.rows - a.rows)
    return { column: request.column, psi: whole, slices: slices.slice(0, request.top ?? 5) }
  } finally {
    engine.close()
  }
}

async function relation(partitions: SliceFiles[], entity: string[]): Promise<string> {
  const read = async (path: string) => parquet(await realpath(path))
  const parts: string[] = []
  for (const { features, scores } of partitions) {
    const from = await read(features)
    parts.push(
      scores === undefined
        ? `SELECT * FROM ${from}`
        : `SELECT * FROM ${from} AS features JOIN ${await read(scores)} AS scores USING (${entity.map(identifier).join(', ')})`,
    )
  }
  return `(${parts.join(' UNION ALL BY NAME ')})`
}

/** SQL of a row's bin: a number's place among the reference's deciles, a category itself; null stays null. */
async function binSql(
  engine: Engine,
  reference: string,
  column: string,
  types: Map<string, string>,
): Promise<string> {
  const type = types.get(column)
  const plan = type === undefined ? 'not there' : countedColumn({ name: column, type }, false)
  if (typeof plan === 'string') {
    const known = [...types.keys()].join(', ')
    throw new TypeError(`expected a column that is compared (of ${known}), got: ${column} (${plan})`)
  }
  const { sql } = plan
  if (plan.kind === 'category') return sql
  const deciles = Array.from({ length: 9 }, (_, index) => (index + 1) / 10)
  const found = await engine.row(
    `SELECT quantile_disc(v, [${deciles.join(', ')}]) AS q FROM (SELECT ${sql} AS v FROM ${reference}) WHERE isfinite(v)`,
  )
  const edges = edgesOf(Array.isArray(found.q) ? found.q.map(Number) : [])
  const places = edges.map((edge) => `(v >= ${literal(String(edge))}::DOUBLE)::INTEGER`)
  return `(SELECT CASE WHEN v IS NULL THEN NULL WHEN NOT isfinite(v) THEN 'infinite' ELSE (${['0', ...places].join(' + ')})::VARCHAR END FROM (SELECT ${sql} AS v))`
}

interface Sides {
  reference: string
  tonight: string
  bin: string
  by: string
}

async function countSlices(
  engine: Engine,
  { reference, tonight, bin, by }: Sides,
): Promise<{ whole: number; slices: Omit<Slice, 'by'>[] }> {
  const side = (from: string, name: string) =>
    `SELECT '${name}' AS side, ${by} AS value, ${bin} AS bin, count(*) AS n FROM ${from} GROUP BY ALL`
  const rows = await engine.rows(
    `${side(reference, 'reference')} UNION ALL ${side(tonight, 'tonight')} ORDER BY side, n DESC, value, bin`,
  )
  const bins = new Map<string, number>()
  for (const row of rows) {
    const key = textOf(row.bin)
    if (!bins.has(key)) bins.set(key, bins.size)
  }
  const empty = () => ({ reference: new Float64Array(bins.size), tonight: new Float64Array(bins.size) })
  const all = empty()
  const values = new Map<string, ReturnType<typeof empty>>()
  for (const row of rows) {
    const value = textOf(row.value)
    const place = bins.get(textOf(row.bin)) ?? 0
    const own = values.get(value) ?? empty()
    values.set(value, own)
    for (const counts of [all, own]) {
      const half = row.side === 'reference' ? counts.reference : counts.tonight
      half[place] = (half[place] ?? 0) + Number(row.n)
    }
  }
  const whole = finite(psi(all.reference, all.tonight))
  const slices = [...values].map(([value, own]) => {
    const [before, now] = [sum(own.reference), sum(own.tonight)]
    const others = (side: 'reference' | 'tonight') =>
      all[side].map((count, at) => count - (own[side][at] ?? 0))
    // Where nothing is left, it carries everything.
    const rest = psi(others('reference'), others('tonight'))
    return {
      value,
      rows: now,
      reference_rows: before,
      psi: Math.min(before, now) < LEAST_ROWS ? null : psi(own.reference, own.tonight),
      carried: whole === 0 ? 0 : 1 - finite(rest) / whole,
    }
  })
  return { whole, slices: slices.sort((a, b) => b.rows - a.rows).slice(0, VALUES) }
}

function textOf(value: unknown): string {
  return value === null ? 'null' : String(value)
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}

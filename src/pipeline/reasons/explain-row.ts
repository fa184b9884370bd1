import { realpath } from 'node:fs/promises'
import { openEngine } from '../engine/duckdb.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { examineFeatures } from '../features/examine-features.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { openModel } from '../scoring/model-file.ts'
import { allocate, pack, selectList, type TensorData } from '../scoring/tensors.ts'
import { planReasons } from './plan-reasons.ts'
import { columnsOf } from './reason-plan.ts'

export interface RowRequest {
  /** Path of the version's ONNX file, and its sha256. */
  model: string
  sha256: string
  mapping: MappingPlan
  /** Path of the night's features. */
  features: string
  /** The entity's columns as DuckDB writes their values. */
  entity: Record<string, string>
  temp: string
}

/** Why one row has its score. */
export interface RowFacts {
  method: 'paths' | 'occlusion'
  /** Of effects and `mean`. */
  unit: 'score' | 'log-odds'
  score: number
  /** Rows of the night that the effects are measured against. */
  background: number
  /** Of `paths`: what the effects start from; `mean` and all effects add up to the score, in the unit. */
  mean: number | null
  /** Of `occlusion`: what the effects leave unexplained of the difference to the score of a row of typical values alone. */
  rest: number | null
  /** The score of a row of typical values. */
  typical_score: number
  /** Columns that have an effect, the strongest first, each with the value that is typical of the night. */
  effects: { column: string; effect: number; typical: string | number | null }[]
}

/** Finds every effect on the score of one row, as the published reasons are found. Undefined where there is no such row. */
export async function explainRow(request: RowRequest): Promise<RowFacts | undefined> {
  const { mapping } = request
  const path = await realpath(request.features)
  const from = parquet(path)
  const engine = await openEngine({
    readable: [path],
    writable: [],
    temp: request.temp,
    threads: 1,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const { connection } = engine
    const rows = await examineFeatures(connection, from, mapping)
    const scorers = await openModel({ ...request, threads: 1 })
    try {
      const columns = columnsOf(mapping)
      const {
        plan,
        rows: background,
        typical,
      } = await planReasons({ ...request, connection, from, rows, scorers, count: columns.length })
      const values = Object.fromEntries(
        Object.values(request.entity).map((value, index) => [`v${index}`, value]),
      )
      const where = Object.keys(request.entity).map(
        (name, index) => `${identifier(name)}::VARCHAR = $v${index}`,
      )
      const batch = allocate(mapping, 1)
      const found = await connection.stream(
        `SELECT ${selectList(mapping)} FROM ${from} WHERE ${where.join(' AND ')} LIMIT 1`,
        values,
      )
      const chunk = await found.fetchChunk()
      if (!chunk || chunk.rowCount === 0) return undefined
      pack(chunk, mapping, batch, 0, 1)
      const alone = await scorers.score({
        rows: 1,
        capacity: 1,
        tensors: typical.map((data) => data.slice()),
      })
      await scorers.giveReasons(plan)
      const { scores, reasons } = await scorers.score(batch)
      const score = scores[0] ?? Number.NaN
      const typicalScore = alone.scores[0] ?? Number.NaN
      const effects = (reasons?.columns ?? []).flatMap((chosen, rank) => {
        const index = (chosen[0] ?? 0) - 1
        const column = columns[index]
        if (column === undefined) return []
        return {
          column,
          effect: reasons?.effects[rank]?.[0] ?? 0,
          typical: typicalAt(typical, mapping, index),
        }
      })
      const explained = effects.reduce((sum, { effect }) => sum + effect, 0)
      return {
        method: plan.method,
        unit: plan.unit,
        score,
        background,
        mean: plan.method === 'paths' ? plan.sign * plan.forest.mean + offsetOf(plan) : null,
        rest: plan.method === 'paths' ? null : score - typicalScore - explained,
        typical_score: typicalScore,
        effects,
      }
    } finally {
      await scorers.close()
    }
  } finally {
    engine.close()
  }
}

/** A score of 1 - margin starts from 1. */
function offsetOf({ sign, unit }: { sign: number; unit: RowFacts['unit'] }): number {
  return sign < 0 && unit === 'score' ? 1 : 0
}

/** The typical value of a column by its place among all; null where it is missing. */
function typicalAt(typical: TensorData[], { inputs }: MappingPlan, index: number): string | number | null {
  let place = index
  for (const [position, { columns }] of inputs.entries()) {
    if (place >= columns.length) {
      place -= columns.length
      continue
    }
    const value = typical[position]?.[place]
    if (value === undefined || Number.isNaN(value)) return null
    return typeof value === 'bigint' ? Number(value) : value
  }
  return null
}

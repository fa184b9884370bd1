import { realpath } from 'node:fs/promises'
import type { ScoreColumn } from '../../project/project.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { Check, UnknownValues } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { examineFeatures } from '../features/examine-features.ts'
import { plainClass } from '../onnx/choose-class.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { batchDependence } from './batch-dependence.ts'
import { countUnknown, unreadColumns, vocabulariesOf } from './count-unknown.ts'
import { unknownText } from './judge-unknown.ts'
import { openModel } from './model-file.ts'
import { scoreRows } from './score-rows.ts'
import { suspicions } from './tally.ts'

export interface TrialRequest {
  /** Path of the ONNX file. */
  model: string
  mapping: MappingPlan
  /** Path of a Parquet file of features. */
  features: string
  /** Named in the samples of checks that fail. */
  entity?: string[] | undefined
  score: ScoreColumn
  /** Columns whose values may all be unknown to the model; true: any. */
  allowed?: true | string[] | undefined
  /** About how many rows are scored, spread over the file. Default 1,000. */
  rows?: number | undefined
  temp: string
}

/** How the model did on real rows. `mean`, `min` and `max` are of the finite scores. */
export interface TrialFacts {
  rows: number
  mean: number | undefined
  min: number | undefined
  max: number | undefined
  /** Those that a night would be held for when they fail. */
  checks: Check[]
  /** How a row's score depends on the rows beside it; undefined where it does not. */
  dependence: string | undefined
  /** Of all rows of the file. */
  unknown: UnknownValues[]
  /** Text columns of which the file does not say what the model knows. */
  unread: string[]
  /** Columns that give the model nothing that it knows: nothing was scored. */
  unfit: string[]
  warnings: string[]
}

/** float32 holds every integer up to here. */
const EXACT = 2 ** 24

/** Scores some rows of real features with a model that is to be registered. Throws Failures as `scorePartition` does. */
export async function tryModel(request: TrialRequest): Promise<TrialFacts> {
  const { mapping, entity = [], score } = request
  const features = await realpath(request.features)
  const all = parquet(features, { rowNumbers: true })
  const engine = await openEngine({
    readable: [features],
    writable: [],
    temp: request.temp,
    threads: 1,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const total = await examineFeatures(engine.connection, all, mapping)
    const vocabularies = await vocabulariesOf(mapping, request.model)
    const unknown = await countUnknown(engine.connection, all, mapping, vocabularies)
    const unread = unreadColumns(mapping, vocabularies)
    const unfit = unfitColumns(unknown, request.allowed ?? [])
    if (unfit.length > 0) {
      const nothing = { rows: 0, mean: undefined, min: undefined, max: undefined, dependence: undefined }
      return { ...nothing, checks: [], warnings: [], unknown, unread, unfit }
    }
    const step = Math.max(1, Math.floor(total / (request.rows ?? 1000)))
    const rows = Math.ceil(total / step)
    const from = `(SELECT * FROM ${all} WHERE file_row_number % ${step} = 0)`
    const scorers = await openModel({ model: request.model, mapping, threads: 1 })
    try {
      const { tally, checks } = await scoreRows({ engine, from, rows, entity, mapping, scorers, score })
      const dependence = await batchDependence({ connection: engine.connection, from, mapping, scorers })
      const warnings = [...(await rounded(engine, all, mapping)), ...suspicions(tally)]
      return {
        rows,
        mean: tally.mean,
        min: tally.min,
        max: tally.max,
        checks,
        dependence,
        unknown,
        unread,
        unfit,
        warnings,
      }
    } finally {
      await scorers.close()
    }
  } finally {
    engine.close()
  }
}

/** A model that knows none of a column's values scores as if the column were not there; some fail on the first. */
function unfitColumns(unknown: UnknownValues[], allowed: true | string[]): string[] {
  return unknown.flatMap((each) => {
    const { column, rows, refuses } = each
    if (each.unknown === 0) return []
    if (refuses)
      return [`${unknownText(each)}, and the model fails on any other: give it one of these in features.sql`]
    if (each.unknown < rows || allowed === true || allowed.includes(column)) return []
    const truth = each.examples.every(({ value }) => value === 'true' || value === 'false')
    const yes = plainClass(each.known)
    const [one, other] = yes === undefined ? ['...', '...'] : [each.known[yes], each.known[1 - yes]]
    const advice = truth ? `, such as CASE WHEN ${column} THEN '${one}' ELSE '${other}' END` : ''
    return [
      `${unknownText(each)}. Give it these in features.sql${advice}; if the model is to go without them, write in model.yaml: onnx: { unknown: { ${column}: allow } }`,
    ]
  })
}

/** Integers that float32 rounds: customer numbers as features, and sums that outgrew the type. */
async function rounded(engine: Engine, from: string, { inputs }: MappingPlan): Promise<string[]> {
  const columns = inputs
    .filter(({ element }) => element === 'float32')
    .flatMap((input) => input.columns)
    .filter(({ type }) => /INT/.test(type))
  if (columns.length === 0) return []
  const largest = columns.map(({ name }) => `max(abs(${identifier(name)}::DOUBLE)) AS ${identifier(name)}`)
  const row = await engine.row(`SELECT ${largest.join(', ')} FROM ${from}`)
  return columns.flatMap(({ name }) => {
    const value = row[name]
    if (typeof value !== 'number' || value <= EXACT) return []
    return [
      `column ${name} reaches ${value}, and float32 rounds integers beyond ${EXACT}: was the model trained on it so?`,
    ]
  })
}

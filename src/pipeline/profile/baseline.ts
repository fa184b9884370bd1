import type { Engine } from '../engine/duckdb.ts'
import { identifier, literal } from '../engine/quote.ts'
import {
  type EvaluatedVersion,
  type Holdout,
  type HoldoutFile,
  openHoldout,
  refuseNoRows,
  scoresOf,
} from '../evaluation/holdout.ts'
import { openScoreTable } from '../scoring/score-table.ts'
import type { Baseline, Profile } from './profile.ts'
import { profilePartition, profileTable } from './profile-partition.ts'

export interface HoldoutRequest extends HoldoutFile {
  /** Id of the training set. */
  dataset: string
  entity: string[]
  /** Features to count. */
  columns: string[]
  version: EvaluatedVersion
  /** The scores' column. */
  score: string
}

/**
 * The distributions of a holdout and of a version's scores on it, whole and by as-of on the same edges. Nothing is
 * written. Throws Failures: `contract` where the holdout has no rows or does not fit the model, `model` as scoring does.
 */
export async function baselineOfHoldout(request: HoldoutRequest): Promise<Baseline> {
  const holdout = await openHoldout(request)
  const { engine } = holdout
  try {
    const from = await scoreHoldout(holdout, request)
    const profile = await profileScored(engine, from, request, undefined)
    refuseNoRows(profile.rows, request)
    const asOfs = await engine.rows(`SELECT DISTINCT as_of::VARCHAR AS as_of FROM ${from} ORDER BY 1`)
    const by_as_of: Baseline['by_as_of'] = []
    for (const row of asOfs) {
      const as_of = String(row.as_of)
      const own = `(SELECT * FROM ${from} WHERE as_of::VARCHAR = ${literal(as_of)})`
      by_as_of.push({ as_of, profile: await profileScored(engine, own, request, profile) })
    }
    const { dataset } = request
    return { text: `holdout of ${dataset}`, kind: 'holdout', dataset, rows: profile.rows, profile, by_as_of }
  } finally {
    holdout.close()
  }
}

/** A table of the engine with entity, as-of, features and score. */
async function scoreHoldout(
  { engine, from }: Holdout,
  { entity, columns, version, score, threads }: HoldoutRequest,
): Promise<string> {
  const scores = await scoresOf({ engine, from }, version, threads)
  const table = await openScoreTable(await engine.connect())
  table.append(scores)
  table.close()
  const names = [...new Set([...entity, 'as_of', ...columns])].map(identifier).join(', ')
  await engine.run(
    `CREATE TABLE scored AS SELECT rows.*, ${table.name}.score AS ${identifier(score)} FROM (SELECT ${names} FROM ${from}) AS rows POSITIONAL JOIN ${table.name}`,
  )
  return 'scored'
}

async function profileScored(
  engine: Engine,
  from: string,
  { entity, columns, score }: HoldoutRequest,
  baseline: Profile | undefined,
): Promise<Profile> {
  const shared = { engine, from, entity, baseline, countEntities: true }
  const features = await profileTable({ ...shared, columns, scored: false })
  const scores = await profileTable({ ...shared, columns: [score], scored: true })
  return {
    ...features,
    columns: [...features.columns, ...scores.columns],
    left_out: [...features.left_out, ...scores.left_out],
  }
}

export interface NightRequest {
  /** Absolute paths of the night's Parquet files. */
  features: string
  scores: string
  /** The night, as texts name it. */
  partition: string
  entity: string[]
  columns: string[] | undefined
  score: string
  temp: string
  threads: number
}

/** The distributions of the first night that a version published: for versions without a training set. */
export async function baselineOfNight({ partition, ...request }: NightRequest): Promise<Baseline> {
  const profile = await profilePartition({ ...request, baseline: undefined })
  return {
    text: `first night ${partition}`,
    kind: 'night',
    dataset: null,
    rows: profile.rows,
    profile,
    by_as_of: [],
  }
}

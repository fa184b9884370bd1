import { realpath } from 'node:fs/promises'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { parquet } from '../engine/quote.ts'
import { examineFeatures } from '../features/examine-features.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { infer } from '../scoring/inference.ts'
import { openModel } from '../scoring/model-file.ts'

/** A registered file that is to score the holdout. */
export interface EvaluatedVersion {
  version: number
  /** Absolute path. */
  file: string
  sha256: string
  mapping: MappingPlan
}

export interface HoldoutFile {
  /** Absolute path of the rows: entity, `as_of`, features, label. */
  holdout: string
  temp: string
  threads: number
}

/** The rows of a holdout, in their order. */
export interface Holdout {
  engine: Engine
  /** What stands after FROM. */
  from: string
  close(): void
}

export async function openHoldout({ holdout, temp, threads }: HoldoutFile): Promise<Holdout> {
  const path = await realpath(holdout)
  const engine = await openEngine({
    readable: [path],
    writable: [],
    temp,
    threads,
    timezone: 'UTC',
    ordered: true,
  })
  return { engine, from: parquet(path), close: () => engine.close() }
}

/** Throws a contract Failure where a holdout has no rows. */
export function refuseNoRows(rows: number, { holdout }: Pick<HoldoutFile, 'holdout'>): void {
  if (rows > 0) return
  throw new Failure('contract', 'the holdout has no rows: build the training set with --holdout-from', {
    evidence: { holdout },
  })
}

/** A version's scores of the holdout's rows, in their order. Throws Failures as scoring does. */
export async function scoresOf(
  holdout: Pick<Holdout, 'engine' | 'from'>,
  version: EvaluatedVersion,
  threads: number,
): Promise<Float64Array> {
  const { row_count } = await holdout.engine.row(`SELECT count(*)::DOUBLE AS row_count FROM ${holdout.from}`)
  const scores = new Float64Array(Number(row_count))
  let done = 0
  await scoreHoldout(holdout, version, threads, (batch) => {
    scores.set(batch, done)
    done += batch.length
  })
  return scores
}

/** Hands over the scores batch by batch, in the order of the rows. */
export async function scoreHoldout(
  { engine, from }: Pick<Holdout, 'engine' | 'from'>,
  { file, sha256, mapping }: EvaluatedVersion,
  threads: number,
  onScores: (batch: Float64Array) => void,
): Promise<void> {
  await examineFeatures(engine.connection, from, mapping)
  const scorers = await openModel({ model: file, sha256, mapping, threads })
  try {
    await infer({ connection: engine.connection, from, mapping, scorers, onScores })
  } finally {
    await scorers.close()
  }
}

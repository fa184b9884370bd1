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
  { engine, from }: Pick<Holdout, 'engine' | 'from'>,
  { file, sha256, mapping }: EvaluatedVersion,
  threads: number,
): Promise<Float64Array> {
  const count = await examineFeatures(engine.connection, from, mapping)
  const scores = new Float64Array(count)
  const scorers = await openModel({ model: file, sha256, mapping, threads })
  try {
    let done = 0
    await infer({
      connection: engine.connection,
      from,
      mapping,
      scorers,
      onScores(batch) {
        scores.set(batch, done)
        done += batch.length
      },
    })
    return scores
  } finally {
    await scorers.close()
  }
}

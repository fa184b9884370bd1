import type { ScoreColumn } from '../../project/project.ts'
import type { Engine } from '../engine/duckdb.ts'
import { readEngineError } from '../engine/engine-error.ts'
import type { Check } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { infer } from './inference.ts'
import { checkScores } from './score-checks.ts'
import { openScoreTable } from './score-table.ts'
import type { Scorers } from './scorers.ts'
import { openTally, type Tally } from './tally.ts'

export interface RowsRequest {
  /** Opened with `ordered`. */
  engine: Engine
  /** What stands after FROM: the features, in their order. */
  from: string
  /** How many rows `from` has. */
  rows: number
  entity: string[]
  mapping: MappingPlan
  scorers: Scorers
  score: ScoreColumn
  /** How many a row the scorers give. */
  reasons?: number | undefined
  batch?: number | undefined
  progress?: ((text: string, rows?: number, total?: number) => void) | undefined
}

export interface ScoredRows {
  tally: Tally
  checks: Check[]
  /** What stands after FROM: `features.<entity>` beside `scores.score`, in the features' order. */
  from: string
}

/** Scores every row into a table of the engine and checks the scores. Throws Failures of class contract and model. */
export async function scoreRows(request: RowsRequest): Promise<ScoredRows> {
  const { engine, from, rows, entity, mapping, scorers, score, reasons, batch, progress } = request
  const table = await openScoreTable(await engine.connect(), reasons)
  const tally = openTally(score, mapping.output)
  let done = 0
  let reported = performance.now()
  const streamed = await infer({
    connection: engine.connection,
    from,
    mapping,
    scorers,
    ...(batch === undefined ? {} : { batch }),
    onScores(scores, found) {
      tally.add(scores)
      table.append(scores, found)
      done += scores.length
      if (progress === undefined || performance.now() - reported < 200) return
      reported = performance.now()
      progress('scoring', done, rows)
    },
  }).catch(explain)
  table.close()
  progress?.('scoring', done, rows)
  if (streamed !== rows || done !== rows) {
    throw new Failure(
      'bug',
      `expected one score for each of ${rows} rows, got: ${done} scores of ${streamed} rows read`,
    )
  }
  const columns = entity.map(identifier).join(', ')
  const scored =
    entity.length === 0
      ? table.name
      : `(SELECT ${columns} FROM ${from}) AS features POSITIONAL JOIN ${table.name}`
  const total = tally.total()
  const checks = await checkScores(total, score, {
    connection: engine.connection,
    from: scored,
    entity,
    output: mapping.output,
  })
  return { tally: total, checks, from: scored }
}

/** A value that a tensor's type cannot hold, such as 1e300 in float32, breaks what the features promised. */
function explain(error: unknown): never {
  const engine = readEngineError(error)
  if (engine?.type !== 'Conversion') throw error
  throw new Failure(
    'contract',
    `a value of the features does not fit into the model's input: ${engine.message}`,
    {
      cause: error,
      evidence: { engine: engine.message },
    },
  )
}

import type { DuckDBConnection } from '@duckdb/node-api'
import { figureBeside } from '../../format/numbers.ts'
import type { ScoreColumn } from '../../project/project.ts'
import type { Check } from '../engine/facts.ts'
import { double, identifier } from '../engine/quote.ts'
import type { ModelOutput } from '../onnx/inspect.ts'
import { bounds } from './score-threshold.ts'
import type { Tally } from './tally.ts'

export interface ScoredRows {
  connection: DuckDBConnection
  /** What stands after FROM: `features.<entity>` beside `scores.score`. */
  from: string
  entity: string[]
  output: Pick<ModelOutput, 'type'>
}

/** Whether every score is finite and within the model's bounds, with up to five rows where one is not. */
export async function checkScores(tally: Tally, score: ScoreColumn, scored: ScoredRows): Promise<Check[]> {
  const column = score.column
  const range = `${score.min ?? '-infinity'} to ${score.max ?? 'infinity'}`
  const { low, high } = bounds(score, scored.output)
  const outside: string[] = []
  if (Number.isFinite(low)) outside.push(`scores.score < ${double(low)}`)
  if (Number.isFinite(high)) outside.push(`scores.score > ${double(high)}`)
  const checks: Check[] = [
    {
      id: 'score.finite',
      kind: 'score.finite',
      column,
      passed: tally.notFinite === 0,
      observed: tally.notFinite,
      bound: 0,
      message: `expected every ${column} to be a finite number, got: ${tally.notFinite} of ${tally.rows} rows that are not`,
      samples: tally.notFinite === 0 ? [] : await sample(scored, column, 'NOT isfinite(scores.score)'),
    },
  ]
  if (outside.length === 0) return checks
  checks.push({
    id: 'score.range',
    kind: 'score.range',
    column,
    passed: tally.outside === 0,
    observed: tally.outside === 0 ? show(tally.min, tally.max) : tally.outside,
    bound: range,
    message:
      tally.outside === 0
        ? `expected every ${column} within ${range}, got: ${show(tally.min, tally.max)}`
        : `expected every ${column} within ${range}, got: ${readable(tally, score)}, ${tally.outside} of ${tally.rows} rows outside`,
    samples:
      tally.outside === 0
        ? []
        : await sample(scored, column, `isfinite(scores.score) AND (${outside.join(' OR ')})`),
  })
  return checks
}

/** The lowest and the highest score, in as many digits as tell them from the bounds. */
function readable({ min, max }: Tally, score: ScoreColumn): string {
  if (min === undefined || max === undefined) return show(min, max)
  return `${figureBeside(min, score.min ?? 0)} to ${figureBeside(max, score.max ?? 0)}`
}

function show(min: number | undefined, max: number | undefined): string {
  return min === undefined ? 'no scores' : `${min} to ${max}`
}

async function sample(
  { connection, from, entity }: ScoredRows,
  column: string,
  where: string,
): Promise<Record<string, string>[]> {
  const values = [...entity.map((name) => `features.${identifier(name)}`), 'scores.score']
  const reader = await connection.runAndReadAll(
    `SELECT ${values.map((value) => `${value}::VARCHAR`).join(', ')} FROM ${from} WHERE ${where} LIMIT 5`,
  )
  const columns = [...entity, column]
  return reader
    .getRows()
    .map((row) => Object.fromEntries(columns.map((name, index) => [name, String(row[index])])))
}

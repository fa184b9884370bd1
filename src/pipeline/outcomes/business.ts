import type { OutcomeMetric } from '../../project/project.ts'
import { NIGHT_TABLES } from '../../project/schema/metric.ts'
import { LAST } from '../cut/cut.ts'
import { classify } from '../engine/classify.ts'
import type { Engine, Values } from '../engine/duckdb.ts'
import { bindPlan } from '../sql/bound-plan.ts'
import { checkFeatureSql } from '../sql/check-sql.ts'
import { withoutSemicolon } from '../sql/tokens.ts'
import { findUnlike } from '../sql/unlike-types.ts'
import type { OutcomeFacts } from './outcome-facts.ts'

export interface FigurePlace {
  values: Values
  file: string
  sources: string[]
  missing: ReadonlyMap<string, string>
}

/**
 * The business figures of a night, each from its own SQL over the night's tables (`createNight`). One that cannot be
 * computed says why in `error`, and costs the others nothing. `missing`: why a table is not there, by its name;
 * `sources`: the sources that are, beside the night's tables.
 */
export async function businessFigures(
  engine: Engine,
  metrics: OutcomeMetric[],
  place: FigurePlace,
): Promise<OutcomeFacts['business']> {
  const figures: OutcomeFacts['business'] = []
  for (const { name, sql, target } of metrics) {
    const figure = await figureOf(engine, sql, place).then(
      (value) => ({ value, error: null }),
      (error: unknown) => ({ value: null, error: classify(error).message }),
    )
    figures.push({ name, target: target ?? null, ...figure })
  }
  return figures
}

async function figureOf(
  engine: Engine,
  sql: string,
  { values, file, sources, missing }: FigurePlace,
): Promise<number> {
  const checked = await checkFeatureSql(engine, sql, {
    file,
    declaredSources: [...NIGHT_TABLES, ...sources],
    reads: 'tables of a night',
    parameters: Object.keys(values),
  })
  const [refused] = checked.problems.filter(({ severity }) => severity === 'error')
  if (refused !== undefined) throw new Error(refused.message)
  const gone = checked.tables.find((name) => missing.has(name))
  if (gone !== undefined) throw new Error(missing.get(gone))
  const moments = Object.fromEntries(checked.parameters.map((name) => [name, LAST.local]))
  const plan = await bindPlan(engine, withoutSemicolon(sql), moments, [])
  const [unlike] = plan === undefined ? [] : await findUnlike(engine, plan, new Set())
  if (unlike !== undefined) throw new Error(unlike.message)
  const bound = Object.fromEntries(
    Object.entries(values).filter(([name]) => checked.parameters.includes(name)),
  )
  const rows = await engine.rows(`SELECT * FROM (${withoutSemicolon(sql)}\n) LIMIT 2`, bound)
  const [row] = rows
  const columns = Object.values(row ?? {})
  if (row === undefined || rows.length > 1 || columns.length !== 1) {
    throw new Error(
      `expected one row of one number, got: ${row === undefined ? 'no row' : rows.length > 1 ? 'several rows' : `${columns.length} columns`}`,
    )
  }
  const [value] = columns
  if (value === null)
    throw new Error('expected a number, got: null, as sums over no rows give it; coalesce(..., 0) if it is 0')
  const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
  if (!Number.isFinite(number)) throw new Error(`expected a number, got: ${String(value)}`)
  return number
}

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { didYouMean } from '../../project/files/nearest.ts'
import type { Problem } from '../../project/files/problem.ts'
import type { View } from '../../project/project.ts'
import { NIGHT_TABLES, type NightTable } from '../../project/schema/metric.ts'
import { LAST } from '../cut/cut.ts'
import { type Engine, openEngine, type Values } from '../engine/duckdb.ts'
import { readEngineError } from '../engine/engine-error.ts'
import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'
import { sourceProblem } from '../features/describe-view.ts'
import { isNumber } from '../features/expectation-plan.ts'
import { bindPlan } from '../sql/bound-plan.ts'
import { checkFeatureSql } from '../sql/check-sql.ts'
import { timestamp } from '../sql/cut-query.ts'
import { indexOfByte, placeOf, withoutSemicolon } from '../sql/tokens.ts'
import { findUnlike, problemIn } from '../sql/unlike-types.ts'
import { createEmptyNight } from './night-tables.ts'
import { describeSource, sourcesOfFigures } from './window-sources.ts'

export interface MetricsRequest {
  metrics: { name: string; sql: string }[]
  /** What the tables of a night look like. */
  tables: Record<NightTable, Column[]>
  /** Whose sources the SQL sees beside them. */
  root: string
  view: View
  /** Names of the sources of model.yaml, which figures may read. */
  ownSources: string[]
  timezone: string
  /** Path of model.yaml as problems name it. */
  file: string
}

export interface MetricsFacts {
  problems: Problem[][]
  reads: string[]
}

const DESCRIBE = 'DESCRIBE '

/** The tables that a figure's SQL may read, by their names, and why others of the sources cannot be looked at. */
interface Readable {
  columns: Map<string, Column[]>
  names: string[]
  unknown: Map<string, Problem>
}

/** What is wrong with each figure's SQL, by its number; lines and columns count within the SQL. `reads`: the sources that they read. */
export async function checkMetrics(request: MetricsRequest): Promise<MetricsFacts> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-metrics-')))
  try {
    const reads = await sourcesOfFigures(request.metrics, request.ownSources)
    const tables = await readableTables(request, reads, temp)
    const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone: 'UTC' })
    try {
      await createEmptyNight(engine, request.tables)
      for (const name of reads) {
        const columns = tables.columns.get(name)?.map((column) => `${identifier(column.name)} ${column.type}`)
        if (columns !== undefined)
          await engine.run(`CREATE TEMP TABLE ${identifier(name)} (${columns.join(', ')})`)
      }
      const problems: Problem[][] = []
      for (const { sql } of request.metrics)
        problems.push(await problemsOf(engine, sql, tables, request.file))
      return { problems, reads }
    } finally {
      engine.close()
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function readableTables(
  { root, view, timezone, tables, file, ownSources }: MetricsRequest,
  reads: string[],
  temp: string,
): Promise<Readable> {
  const columns = new Map<string, Column[]>(NIGHT_TABLES.map((name) => [name, tables[name]]))
  const unknown = new Map<string, Problem>()
  const place = { root, view, timezone, now: LAST.instant, temp, threads: 1 }
  for (const name of reads) {
    try {
      columns.set(name, await describeSource(place, name, file))
    } catch (error) {
      const problem = sourceProblem(error, file)
      unknown.set(name, problem)
    }
  }
  return { columns, names: [...NIGHT_TABLES, ...ownSources], unknown }
}

async function problemsOf(engine: Engine, sql: string, tables: Readable, file: string): Promise<Problem[]> {
  const checked = await checkFeatureSql(engine, sql, {
    file,
    declaredSources: tables.names,
    reads: 'tables of a night',
    columns: [...tables.columns.values()].flatMap((columns) => columns.map(({ name }) => name)),
    parameters: ['as_of', 'label_end'],
  })
  const refused = checked.problems.filter(({ severity }) => severity === 'error')
  if (refused.length > 0) return refused
  const unknown = checked.tables.flatMap((name) => tables.unknown.get(name) ?? [])
  if (unknown.length > 0) return unknown
  const unlike = await unlikeIn(engine, sql, file)
  if (unlike.length > 0) return unlike
  const values: Values = Object.fromEntries(checked.parameters.map((name) => [name, timestamp(LAST.local)]))
  const at = { severity: 'error', file, line: undefined, column: undefined } as const
  try {
    const columns = await engine.rows(`${DESCRIBE}${withoutSemicolon(sql)}`, values)
    const [column] = columns
    if (column === undefined || columns.length > 1) {
      const names = columns.map(({ column_name }) => column_name).join(', ')
      return [{ ...at, message: `expected one column, the figure, got: ${names}` }]
    }
    const type = String(column.column_type)
    if (isNumber(type) || type === 'HUGEINT' || type === 'UHUGEINT') return []
    return [{ ...at, message: `expected a number, got: ${String(column.column_name)}, which is ${type}` }]
  } catch (error) {
    const failure = readEngineError(error)
    if (failure === undefined || failure.type === 'INTERNAL') throw error
    const offset = failure.position === undefined ? -1 : failure.position - DESCRIBE.length
    const place = offset < 0 ? undefined : placeOf(sql, indexOfByte(sql, offset))
    return [
      {
        ...at,
        line: place?.line,
        column: place?.column,
        message: sayBinding(failure, checked.tables, tables),
      },
    ]
  }
}

async function unlikeIn(engine: Engine, sql: string, file: string): Promise<Problem[]> {
  const moments = { as_of: LAST.local, label_end: LAST.local }
  try {
    const plan = await bindPlan(engine, withoutSemicolon(sql), moments, [])
    const unlike = plan === undefined ? [] : await findUnlike(engine, plan, new Set())
    return unlike.map((each) => problemIn(sql, file, each))
  } catch (error) {
    return [sourceProblem(error, file)]
  }
}

/** What the binder says, with the names that there are. */
function sayBinding(
  { message, name }: { message: string; name: string | undefined },
  read: string[],
  tables: Readable,
): string {
  const missing = /^(?:Referenced column|Values list|Table) /.test(message)
    ? (name ?? /column (?:named )?"([^"]+)"/.exec(message)?.[1])
    : undefined
  if (missing === undefined) return message
  const own = [...tables.columns].filter(([table]) => read.includes(table))
  const known = own.map(([table, columns]) => `${table} has ${columns.map(({ name }) => name).join(', ')}`)
  const names = own.flatMap(([, columns]) => columns.map(({ name }) => name))
  return `expected the name of a column, got: ${missing}; ${known.join('; ')}${didYouMean(missing, names)}`
}

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { didYouMean } from '../../project/nearest.ts'
import type { Problem } from '../../project/problem.ts'
import { bindPlan } from '../bound-plan.ts'
import { LAST } from '../cut.ts'
import { type Engine, openEngine, type Values } from '../duckdb.ts'
import { readEngineError } from '../engine-error.ts'
import { isNumber } from '../expectation-plan.ts'
import type { Column } from '../facts.ts'
import { timestamp } from '../query.ts'
import { checkFeatureSql } from '../sql.ts'
import { indexOfByte, placeOf, withoutSemicolon } from '../tokens.ts'
import { findUnlike, problemIn } from '../unlike-types.ts'
import { createEmptyNight, NIGHT_TABLES, type NightTable } from './tables.ts'

export interface MetricsRequest {
  metrics: { name: string; sql: string }[]
  /** What the tables of a night look like. */
  tables: Record<NightTable, Column[]>
  /** Path of model.yaml as problems name it. */
  file: string
}

/** What is wrong with each figure's SQL, by its number; lines and columns count within the SQL. */
export async function checkMetrics({ metrics, tables, file }: MetricsRequest): Promise<Problem[][]> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-metrics-')))
  const engine = await openEngine({ readable: [], writable: [], temp, threads: 1, timezone: 'UTC' })
  try {
    await createEmptyNight(engine, tables)
    const problems: Problem[][] = []
    for (const { sql } of metrics) problems.push(await problemsOf(engine, sql, { tables, file }))
    return problems
  } finally {
    engine.close()
    await rm(temp, { recursive: true, force: true })
  }
}

const DESCRIBE = 'DESCRIBE '

async function problemsOf(
  engine: Engine,
  sql: string,
  { tables, file }: Pick<MetricsRequest, 'tables' | 'file'>,
): Promise<Problem[]> {
  const checked = await checkFeatureSql(engine, sql, {
    file,
    declaredSources: [...NIGHT_TABLES],
    reads: 'tables of a night',
    columns: NIGHT_TABLES.flatMap((name) => tables[name].map((column) => column.name)),
    parameters: ['as_of', 'label_end'],
  })
  const refused = checked.problems.filter(({ severity }) => severity === 'error')
  if (refused.length > 0) return refused
  const plan = await bindPlan(engine, withoutSemicolon(sql), { as_of: LAST.local, label_end: LAST.local }, [])
  const unlike = plan === undefined ? [] : await findUnlike(engine, plan, new Set())
  if (unlike.length > 0) return unlike.map((each) => problemIn(sql, file, each))
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
    const told = readEngineError(error)
    if (told === undefined || told.type === 'INTERNAL') throw error
    const offset = told.position === undefined ? -1 : told.position - DESCRIBE.length
    const place = offset < 0 ? undefined : placeOf(sql, indexOfByte(sql, offset))
    return [
      { ...at, line: place?.line, column: place?.column, message: sayBinding(told, checked.tables, tables) },
    ]
  }
}

/** What the binder says, with the names that there are. */
function sayBinding(
  { message, name }: { message: string; name: string | undefined },
  read: string[],
  tables: MetricsRequest['tables'],
): string {
  const missing = /^(?:Referenced column|Values list|Table) /.test(message)
    ? (name ?? /column (?:named )?"([^"]+)"/.exec(message)?.[1])
    : undefined
  if (missing === undefined) return message
  const own = NIGHT_TABLES.filter((table) => read.includes(table))
  const known = own.map((table) => `${table} has ${tables[table].map((column) => column.name).join(', ')}`)
  const names = own.flatMap((table) => tables[table].map((column) => column.name))
  return `expected the name of a column, got: ${missing}; ${known.join('; ')}${didYouMean(missing, names)}`
}

import { exactPercent, percentBeside } from '../../format/shares.ts'
import type { View } from '../../project/project.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Check, Column } from '../engine/facts.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { countSql, lookSql, type PlannedCheck, planExpectations } from './expectation-plan.ts'

export interface ExpectationRequest {
  view: Pick<View, 'entity' | 'columns' | 'expect'>
  /** Path of the partition's file, and its columns. */
  path: string
  columns: Column[]
  /** Rows of the nearest earlier published as-of within 7 days. */
  previous: { rows: number; label: string } | undefined
}

const SAMPLES = 5

/**
 * Evaluates a view's expectations over a partition that was written: a look at every column that its statistics
 * answer where they can, a count of the rows that break what the look leaves in doubt, the entity's uniqueness, and
 * five rows for each that failed. Freshness is checked on the sources (freshness.ts).
 */
export async function checkExpectations(engine: Engine, request: ExpectationRequest): Promise<Check[]> {
  const { view, columns } = request
  const from = parquet(request.path)
  const rows = Number((await engine.row(`SELECT count(*) AS n FROM ${from}`)).n)
  const planned = planExpectations(view, columns)
  const look = await oneRow(engine, lookSql(planned, from))
  const doubted = planned.filter((_, index) => look[`d${index}`] === true)
  const counted = await oneRow(engine, countSql(doubted, from))
  const place = new Map(doubted.map((plan, index) => [plan, index]))
  const checks = planned.map((plan, index) => {
    const at = place.get(plan)
    return at === undefined
      ? judge(plan, 0, usual(plan, look[`o${index}`], rows), rows)
      : judge(plan, Number(counted[`b${at}`]), shown(counted[`o${at}`]), rows)
  })
  checks.push(
    await unique(engine, view.entity, from, rows),
    ...rowChecks(view.expect.rows, rows, request.previous),
  )
  for (const [index, plan] of planned.entries()) {
    const check = checks[index]
    if (check === undefined || check.passed) continue
    check.samples = await samples(engine, from, plan.rows, [
      ...view.entity,
      ...(plan.column === undefined ? [] : [plan.column]),
    ])
  }
  return checks
}

/** Merges the one-row results of several statements. */
async function oneRow(engine: Engine, statements: string[]): Promise<Record<string, unknown>> {
  const found = {}
  for (const sql of statements) Object.assign(found, await engine.row(sql))
  return found
}

function usual({ kind }: PlannedCheck, seen: unknown, rows: number): string | number | null {
  if (kind === 'entity.null') return 0
  return kind === 'column.max_null_rate' ? share(rows - Number(seen), rows) : shown(seen)
}

function share(part: number, rows: number): number {
  return rows === 0 ? 0 : part / rows
}

/** `counted` are the rows that break it, 0 where the look left no doubt. */
function judge(plan: PlannedCheck, counted: number, seen: string | number | null, rows: number): Check {
  const { id, kind, column, bound } = plan
  const rate = kind === 'column.max_null_rate' && counted > 0 ? share(counted, rows) : undefined
  const broken = rate !== undefined && rate <= Number(bound) ? 0 : counted
  const observed = rate ?? (kind === 'entity.null' ? counted : seen)
  return {
    id,
    kind,
    column,
    passed: broken === 0,
    observed,
    bound,
    message: sentence(plan, broken, observed, rows),
    samples: [],
  }
}

function sentence(
  { kind, column, bound, missing }: PlannedCheck,
  broken: number,
  observed: string | number | null,
  rows: number,
): string {
  const count = broken === 0 ? '' : ` (${broken} of ${rows} rows)`
  switch (kind) {
    case 'entity.null':
      return `entity ${column}: expected no ${missing}, got: ${observed}${count}`
    case 'column.min':
      return `column ${column}: expected ${bound} or more, got: ${observed}${count}`
    case 'column.max':
      return `column ${column}: expected ${bound} or less, got: ${observed}${count}`
    case 'column.values':
      return `column ${column}: expected one of ${bound}, got: ${observed ?? 'nothing else'}${count}`
    default:
      return `column ${column}: expected at most ${exactPercent(Number(bound))} ${missing}, got: ${percentBeside(Number(observed), Number(bound))}${count}`
  }
}

async function unique(engine: Engine, entity: string[], from: string, rows: number): Promise<Check> {
  const broken = await countDoubles(engine, entity, from)
  const name = entity.join(', ')
  return {
    id: 'entity.unique',
    kind: 'entity.unique',
    column: entity.length === 1 ? name : undefined,
    passed: broken === 0,
    observed: broken,
    bound: 0,
    message:
      broken === 0
        ? `entity ${name}: expected one row each, got: one row each of ${rows}`
        : `entity ${name}: expected one row each, got: more than one for ${broken} of them. Check whether a join in features.sql multiplies rows`,
    samples: broken === 0 ? [] : texts(await engine.rows(doublesSql(entity, from))),
  }
}

/**
 * Entities with more than one row. The file is sorted by entity, so that equal ones follow each other and one pass finds them,
 * whatever the number of rows: a tenth of the time of a GROUP BY, which holds every entity. Should the order be broken, that is
 * what is asked.
 */
async function countDoubles(engine: Engine, entity: string[], from: string): Promise<number> {
  const names = entity.map(identifier)
  const sameAs = (back: number) =>
    names.map((name) => `${name} IS NOT DISTINCT FROM lag(${name}, ${back}) OVER ()`).join(' AND ')
  const { doubles, unordered } = await engine.row(
    `SELECT count_if(n > 1 AND again AND NOT (n > 2 AND third)) AS doubles, count_if(unordered) AS unordered
       FROM (SELECT row_number() OVER () AS n, ${sameAs(1)} AS again, ${sameAs(2)} AS third,
                    lag(${names[0]}) OVER () > ${names[0]} AS unordered FROM ${from})`,
  )
  if (Number(unordered) === 0) return Number(doubles)
  const grouped = await engine.row(
    `SELECT count(*) AS doubles FROM (SELECT 1 FROM ${from} GROUP BY ${names.join(', ')} HAVING count(*) > 1)`,
  )
  return Number(grouped.doubles)
}

function doublesSql(entity: string[], from: string): string {
  const keys = entity.map((name) => `p.${identifier(name)}`).join(', ')
  const fields = entity.map((name) => `p.${identifier(name)}::VARCHAR AS ${identifier(name)}`).join(', ')
  return `SELECT ${fields}, count(*)::VARCHAR AS "rows" FROM ${from} AS p GROUP BY ${keys} HAVING count(*) > 1 ORDER BY ${keys} LIMIT ${SAMPLES}`
}

/** `rows.min` defaults to 1: an empty partition would silently remove every score. */
function rowChecks(
  expected: View['expect']['rows'],
  rows: number,
  previous: ExpectationRequest['previous'],
): Check[] {
  const check = (
    kind: string,
    passed: boolean,
    observed: number | null,
    bound: number,
    message: string,
  ): Check => ({
    id: `expect.rows.${kind}`,
    kind: `rows.${kind}`,
    column: undefined,
    passed,
    observed,
    bound,
    message,
    samples: [],
  })
  const min = expected?.min ?? 1
  const hint =
    expected?.min === undefined && rows === 0
      ? '. If an empty partition is legal, set rows: { min: 0 } under expect'
      : ''
  const checks = [check('min', rows >= min, rows, min, `expected ${min} rows or more, got: ${rows}${hint}`)]
  if (expected?.max !== undefined) {
    checks.push(
      check(
        'max',
        rows <= expected.max,
        rows,
        expected.max,
        `expected ${expected.max} rows or less, got: ${rows}`,
      ),
    )
  }
  if (expected?.max_change === undefined) return checks
  const bound = expected.max_change
  if (previous === undefined) {
    checks.push(
      check(
        'max_change',
        true,
        null,
        bound,
        'change of rows: not tested, because no as-of of the 7 days before is published',
      ),
    )
    return checks
  }
  const change = previous.rows === 0 ? (rows === 0 ? 0 : 1) : (rows - previous.rows) / previous.rows
  checks.push(
    check(
      'max_change',
      Math.abs(change) <= bound,
      change,
      bound,
      `expected the number of rows to be within ${exactPercent(bound)} of the ${previous.rows} as of ${previous.label}, got: ${rows} (${change > 0 ? '+' : ''}${percentBeside(change, Math.sign(change) * bound)})`,
    ),
  )
  return checks
}

async function samples(
  engine: Engine,
  from: string,
  condition: string,
  columns: string[],
): Promise<Record<string, string>[]> {
  const names = [...new Set(columns)]
  const fields = names.map((name) => `p.${identifier(name)}::VARCHAR AS ${identifier(name)}`).join(', ')
  const order = names.map((name) => `p.${identifier(name)}`).join(', ')
  return texts(
    await engine.rows(
      `SELECT ${fields} FROM ${from} AS p WHERE ${condition} ORDER BY ${order} LIMIT ${SAMPLES}`,
    ),
  )
}

function texts(rows: Record<string, unknown>[]): Record<string, string>[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value === null ? 'null' : String(value)]),
    ),
  )
}

/** Numbers as numbers where JavaScript holds them exactly. */
function shown(value: unknown): string | number | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return value
  const text = String(value)
  const number = Number(text)
  return text !== '' && Number.isFinite(number) && String(number) === text.replace(/\.0+$/, '')
    ? number
    : text
}

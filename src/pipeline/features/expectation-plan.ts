import type { ColumnExpectation, View } from '../../project/project.ts'
import type { Column } from '../engine/facts.ts'
import { identifier, literal } from '../engine/quote.ts'

/**
 * One expectation of a view as SQL over its partition, in two steps. The look is of min, max and count where these tell:
 * Parquet's own statistics answer them without the rows, and their plan stays small however many columns there are. Rows
 * are counted where the look leaves doubt. A FILTER for each count would cost the square of the number of columns.
 */
export interface PlannedCheck {
  id: string
  kind: string
  column: string | undefined
  bound: string | number | null
  /** Look, an aggregate: true where a row may break it. */
  doubted: string
  /** Look, an aggregate: what a person compares with the bound where nothing breaks it; of a rate, the rows with a value. */
  usual: string
  /** Count: condition of the rows that break it. */
  rows: string
  /** Count, an aggregate: what a person compares with the bound. */
  observed: string
  /** What counts as no value: `null`, or `null or NaN` of a column of floats. */
  missing: string
}

type Described = Pick<View, 'entity' | 'columns'>

const FLOATS = new Set(['FLOAT', 'DOUBLE'])
/** Checks of one statement: beyond some hundreds its plan costs more than what it computes. */
const WIDTH = 240

export function isNumber(type: string): boolean {
  return /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type)
}

/** Whether a type can hold NaN, which is no value: it is counted with the nulls. */
export function isFloat(type: string): boolean {
  return FLOATS.has(type)
}

/** Everything that the view's file expects of columns and entity. Pure; `columns` are the partition's. */
export function planExpectations(view: Described, columns: Column[]): PlannedCheck[] {
  const known = new Map(columns.map((column) => [column.name, column]))
  const planned = view.entity.map((name) => entityCheck(known.get(name) ?? { name, type: 'VARCHAR' }))
  for (const [name, expectation] of Object.entries(view.columns)) {
    const column = known.get(name)
    if (column !== undefined) planned.push(...columnChecks(column, expectation))
  }
  return planned
}

/** Statements over the partition: for each check `i` whether a row may break it, `d<i>`, and what is seen else, `o<i>`. */
export function lookSql(planned: PlannedCheck[], from: string): string[] {
  return statements(planned, from, ({ doubted, usual }, index) => [
    `${doubted} AS d${index}`,
    `${usual} AS o${index}`,
  ])
}

/** Statements over the partition: for each check `i` how many rows break it, `b<i>`, and what is seen, `o<i>`. */
export function countSql(planned: PlannedCheck[], from: string): string[] {
  return statements(planned, from, ({ rows, observed }, index) => [
    `count_if(${rows}) AS b${index}`,
    `${observed} AS o${index}`,
  ])
}

function statements(
  planned: PlannedCheck[],
  from: string,
  fields: (check: PlannedCheck, index: number) => string[],
): string[] {
  const all = planned.map(fields)
  const sql: string[] = []
  for (let start = 0; start < all.length; start += WIDTH)
    sql.push(
      `SELECT ${all
        .slice(start, start + WIDTH)
        .flat()
        .join(', ')} FROM ${from}`,
    )
  return sql
}

function entityCheck(column: Column): PlannedCheck {
  return {
    id: `entity.null.${column.name}`,
    kind: 'entity.null',
    column: column.name,
    bound: 0,
    ...absent(column, 0),
  }
}

type Sql = Pick<PlannedCheck, 'doubted' | 'usual' | 'rows' | 'observed' | 'missing'>

/** At most so many rows without a value. NaN is none, and the greatest number to DuckDB. */
function absent({ name, type }: Column, most: number): Sql {
  const column = identifier(name)
  // A plan of hundreds of columns notices each operator.
  const nulls = `count(*) - count(${column})`
  const doubted = most === 0 ? `count(${column}) < count(*)` : `(${nulls}) / count(*) > ${literal(most)}`
  const shared = { usual: `count(${column})`, observed: 'NULL' }
  return isFloat(type)
    ? {
        ...shared,
        doubted: `${doubted} OR isnan(max(${column}))`,
        rows: `${column} IS NULL OR isnan(${column})`,
        missing: 'null or NaN',
      }
    : { ...shared, doubted, rows: `${column} IS NULL`, missing: 'null' }
}

function columnChecks(described: Column, expectation: ColumnExpectation): PlannedCheck[] {
  const { name, type } = described
  const column = identifier(name)
  const planned: PlannedCheck[] = []
  const add = (kind: string, bound: string | number, sql: Omit<Sql, 'missing'> & Partial<Sql>) =>
    planned.push({
      id: `columns.${name}.${kind}`,
      kind: `column.${kind}`,
      column: name,
      bound,
      missing: 'null',
      ...sql,
    })
  const [lowest, highest] = [`min(${column})`, `max(${column})`]
  // NaN lies within no bounds: it is the greatest number, so that the lowest says nothing of it.
  const [isNan, anyNan] = isFloat(type) ? [`isnan(${column})`, `isnan(${highest})`] : ['false', 'false']
  // A float column is compared with the float nearest to the bound: 0.1 as FLOAT is no more than 0.1.
  const boundSql = (value: number) => (isFloat(type) ? `CAST(${literal(value)} AS ${type})` : literal(value))
  if (expectation.min !== undefined) {
    const bound = boundSql(expectation.min)
    add('min', expectation.min, {
      doubted: `${anyNan} OR ${lowest} < ${bound}`,
      usual: `${lowest}::VARCHAR`,
      rows: `${column} < ${bound} OR ${isNan}`,
      observed: `CASE WHEN ${anyNan} AND ${lowest} >= ${bound} THEN 'NaN' ELSE ${lowest}::VARCHAR END`,
    })
  }
  if (expectation.max !== undefined) {
    const bound = boundSql(expectation.max)
    add('max', expectation.max, {
      doubted: `${highest} > ${bound}`,
      usual: `${highest}::VARCHAR`,
      rows: `${column} > ${bound} OR ${isNan}`,
      observed: `CASE WHEN ${anyNan} THEN 'NaN' ELSE ${highest}::VARCHAR END`,
    })
  }
  if (expectation.values !== undefined) {
    const legal = expectation.values.map((value) => `CAST(${literal(value)} AS ${type})`).join(', ')
    const other = `${column} IS NOT NULL AND ${column} NOT IN (${legal})`
    add('values', expectation.values.join(', '), {
      doubted: `count_if(${other}) > 0`,
      usual: 'NULL',
      rows: other,
      observed: `min(CASE WHEN ${other} THEN ${column} END)::VARCHAR`,
    })
  }
  if (expectation.max_null_rate !== undefined)
    add('max_null_rate', expectation.max_null_rate, absent(described, expectation.max_null_rate))
  return planned
}

import type { ColumnExpectation, View } from '../project/project.ts'
import type { Column } from './facts.ts'
import { identifier, literal } from './quote.ts'

/** One expectation of a view as SQL over its partition: what is seen, and which rows break it. */
export interface PlannedCheck {
  id: string
  kind: string
  column: string | undefined
  bound: string | number | null
  /** Aggregate: how many rows break it. */
  broken: string
  /** Aggregate: what a person compares with the bound. */
  observed: string
  /** Condition of the rows that break it, for samples. */
  rows: string
}

type Described = Pick<View, 'entity' | 'columns'>

const FLOATS = new Set(['FLOAT', 'DOUBLE'])

export function isNumber(type: string): boolean {
  return /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type)
}

/** Everything that the view's file expects of columns and entity. Pure; `columns` are the partition's. */
export function planExpectations(view: Described, columns: Column[]): PlannedCheck[] {
  const planned: PlannedCheck[] = [...entityChecks(view.entity)]
  for (const [name, expectation] of Object.entries(view.columns)) {
    const column = columns.find((each) => each.name === name)
    if (column !== undefined) planned.push(...columnChecks(column, expectation))
  }
  return planned
}

/** One statement over the partition: the number of rows and, for each check `i`, `b<i>` and `o<i>`. */
export function expectationsSql(planned: PlannedCheck[], from: string): string {
  const fields = planned.flatMap(({ broken, observed }, index) => [
    `${broken} AS b${index}`,
    `${observed} AS o${index}`,
  ])
  return `SELECT ${['count(*) AS n', ...fields].join(', ')} FROM ${from}`
}

function entityChecks(entity: string[]): PlannedCheck[] {
  return entity.map((name) => {
    const rows = `${identifier(name)} IS NULL`
    const broken = `count(*) FILTER (${rows})`
    return {
      id: `entity.null.${name}`,
      kind: 'entity.null',
      column: name,
      bound: 0,
      broken,
      observed: broken,
      rows,
    }
  })
}

function columnChecks({ name, type }: Column, expectation: ColumnExpectation): PlannedCheck[] {
  const column = identifier(name)
  const planned: PlannedCheck[] = []
  const add = (kind: string, bound: string | number, rows: string, observed: string) =>
    planned.push({
      id: `columns.${name}.${kind}`,
      kind: `column.${kind}`,
      column: name,
      bound,
      broken: `count(*) FILTER (${rows})`,
      observed,
      rows,
    })
  // NaN lies within no bounds, though DuckDB counts it as the greatest number.
  const isFloat = FLOATS.has(type)
  const noNumber = isFloat ? `isnan(${column})` : 'false'
  const nan = isFloat ? `count(*) FILTER (${noNumber}) > 0` : 'false'
  // A float column is compared with the float nearest to the bound: 0.1 as FLOAT is no more than 0.1.
  const bound = (value: number) => (isFloat ? `CAST(${literal(value)} AS ${type})` : literal(value))
  if (expectation.min !== undefined) {
    const below = `${column} < ${bound(expectation.min)}`
    const lowest = `min(${column}) FILTER (NOT ${noNumber})`
    add(
      'min',
      expectation.min,
      `${below} OR ${noNumber}`,
      `CASE WHEN ${nan} AND count(*) FILTER (${below}) = 0 THEN 'NaN' ELSE ${lowest}::VARCHAR END`,
    )
  }
  if (expectation.max !== undefined) {
    const above = `${column} > ${bound(expectation.max)}`
    add(
      'max',
      expectation.max,
      `${above} OR ${noNumber}`,
      `CASE WHEN ${nan} THEN 'NaN' ELSE max(${column})::VARCHAR END`,
    )
  }
  if (expectation.values !== undefined) {
    const legal = expectation.values.map((value) => `CAST(${literal(value)} AS ${type})`).join(', ')
    const other = `${column} IS NOT NULL AND ${column} NOT IN (${legal})`
    add('values', expectation.values.join(', '), other, `(min(${column}) FILTER (${other}))::VARCHAR`)
  }
  if (expectation.max_null_rate !== undefined) {
    const rows = `${column} IS NULL`
    const count = `count(*) FILTER (${rows})`
    const rate = `CASE WHEN count(*) = 0 THEN 0 ELSE ${count} / count(*) END`
    planned.push({
      id: `columns.${name}.max_null_rate`,
      kind: 'column.max_null_rate',
      column: name,
      bound: expectation.max_null_rate,
      broken: `CASE WHEN ${rate} > ${literal(expectation.max_null_rate)} THEN ${count} ELSE 0 END`,
      observed: rate,
      rows,
    })
  }
  return planned
}

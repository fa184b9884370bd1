import type { Engine } from '../duckdb.ts'
import type { Column } from '../facts.ts'
import { identifier } from '../quote.ts'

/** Two tables of one entity, side by side: `left` is what was published. */
export interface Comparing {
  engine: Engine
  /** What stands after FROM, with the entity under the same names and types on both sides. */
  left: string
  right: string
  entity: string[]
  columns: ComparedColumn[]
}

export interface ComparedColumn extends Column {
  /** SQL of the right side's value, over alias `r`, in the left side's type. Default: the column itself. */
  right?: string
  /** SQL that is true where the right side has a value that its type cannot hold. */
  unreadable?: string
  /** SQL that examples show where the right side's type cannot hold its value. */
  shown?: string
}

export interface ColumnComparison {
  column: string
  type: string
  values: number
  differing: number
  /** Equal but for the last bits. */
  rounding: number
  /** Absolute; null where no numbers differ. */
  largest_difference: number | null
  /** Values that are null on one side alone. */
  null_published: number
  null_other: number
  /** Of `differing`: null on one side and 0 on the other. */
  null_or_zero: number
  /** Every value that differs does so by this much; null where they differ by different amounts. */
  shift: number | null
  examples: { entity: string; published: string | null; other: string | null }[]
}

export interface Comparison {
  /** Entities on both sides. */
  rows: number
  only_published: number
  only_other: number
  examples_only: { published: string[]; other: string[] }
  by_column: ColumnComparison[]
}

const EXAMPLES = 5
/** Relative, by the type of the published column (design, section 1). */
const TOLERANCE: Record<string, string> = { DOUBLE: '1e-9', FLOAT: '1e-6' }

/**
 * Compares value by value in one pass: integers, texts and booleans equal; DOUBLE within 1e-9 and FLOAT within 1e-6,
 * relative; NaN is NaN, null is null, -0 is 0. DuckDB joins, and spills where memory is short.
 */
export async function compare({ engine, left, right, entity, columns }: Comparing): Promise<Comparison> {
  const key = entity.map(identifier)
  const joined = `(SELECT * FROM ${left}) l FULL JOIN (SELECT *, true AS _there FROM ${right}) r
    ON ${key.map((name) => `l.${name} IS NOT DISTINCT FROM r.${name}`).join(' AND ')}`
  const first = key[0] ?? 'NULL'
  const both = `(l.${first} IS NOT NULL AND r._there IS NOT NULL)`
  const sides = columns.map((column) => sidesOf(column))
  const counts = sides.flatMap(({ l, r, same, exact, number, unreadable }, index) => [
    `count(*) FILTER (${both} AND NOT ${same}) AS d${index}`,
    `count(*) FILTER (${both} AND ${same} AND NOT ${exact}) AS o${index}`,
    number
      ? `max(abs(${l}::DOUBLE - ${r}::DOUBLE)) FILTER (${both} AND NOT ${exact} AND isfinite(${l}::DOUBLE) AND isfinite(${r}::DOUBLE)) AS m${index}`
      : `NULL::DOUBLE AS m${index}`,
    `count(*) FILTER (${both} AND ${l} IS NULL AND (${r} IS NOT NULL OR ${unreadable})) AS p${index}`,
    `count(*) FILTER (${both} AND ${r} IS NULL AND NOT ${unreadable} AND ${l} IS NOT NULL) AS n${index}`,
    number
      ? `count(*) FILTER (${both} AND ((${l} IS NULL AND ${r} = 0) OR (${r} IS NULL AND ${l} = 0))) AS z${index}`
      : `0 AS z${index}`,
    number
      ? `CASE WHEN min(${r}::DOUBLE - ${l}::DOUBLE) FILTER (${both} AND NOT ${same}) = max(${r}::DOUBLE - ${l}::DOUBLE) FILTER (${both} AND NOT ${same}) THEN max(${r}::DOUBLE - ${l}::DOUBLE) FILTER (${both} AND NOT ${same}) END AS s${index}`
      : `NULL::DOUBLE AS s${index}`,
  ])
  const row = await engine.row(
    `SELECT count(*) FILTER (${both}) AS rows, count(*) FILTER (r._there IS NULL) AS only_l, count(*) FILTER (l.${first} IS NULL) AS only_r${counts.map((text) => `,\n ${text}`).join('')}
       FROM ${joined}`,
  )
  const rows = Number(row.rows)
  const by_column: ColumnComparison[] = []
  for (const [index, column] of columns.entries()) {
    const side = sides[index]
    const differing = Number(row[`d${index}`])
    by_column.push({
      column: column.name,
      type: column.type,
      values: rows,
      differing,
      rounding: Number(row[`o${index}`]),
      largest_difference: numberOr(row[`m${index}`]),
      null_published: Number(row[`p${index}`]),
      null_other: Number(row[`n${index}`]),
      null_or_zero: Number(row[`z${index}`]),
      shift: numberOr(row[`s${index}`]),
      examples:
        differing === 0 || side === undefined
          ? []
          : await examples(engine, `${joined} WHERE ${both} AND NOT ${side.same}`, key, side),
    })
  }
  const some = async (where: string, alias: 'l' | 'r') =>
    (
      await engine.rows(
        `SELECT ${entityText(key, alias)} AS entity FROM ${joined} WHERE ${where} ORDER BY ALL LIMIT ${EXAMPLES}`,
      )
    ).map((each) => String(each.entity))
  return {
    rows,
    only_published: Number(row.only_l),
    only_other: Number(row.only_r),
    examples_only: {
      published: Number(row.only_l) === 0 ? [] : await some('r._there IS NULL', 'l'),
      other: Number(row.only_r) === 0 ? [] : await some(`l.${first} IS NULL`, 'r'),
    },
    by_column,
  }
}

interface Sides {
  l: string
  r: string
  same: string
  exact: string
  number: boolean
  unreadable: string
  shown: string
}

function sidesOf({ name, type, right, unreadable = 'false', shown }: ComparedColumn): Sides {
  const l = `l.${identifier(name)}`
  const r = right === undefined ? `r.${identifier(name)}` : `(${right})`
  const exact = `(${l} IS NOT DISTINCT FROM ${r} AND NOT ${unreadable})`
  const tolerance = TOLERANCE[type]
  const near =
    tolerance === undefined
      ? ''
      : ` OR coalesce(isfinite(${l}) AND isfinite(${r}) AND abs(${l}::DOUBLE - ${r}::DOUBLE) <= ${tolerance} * greatest(abs(${l}::DOUBLE), abs(${r}::DOUBLE)), false)`
  const number = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL.*)$/.test(type)
  return { l, r, exact, same: `(${exact}${near})`, number, unreadable, shown: shown ?? r }
}

async function examples(
  engine: Engine,
  from: string,
  key: string[],
  { l, r, shown }: Sides,
): Promise<ColumnComparison['examples']> {
  const rows = await engine.rows(
    `SELECT ${entityText(key, 'l')} AS entity, ${l}::VARCHAR AS published, coalesce(${r}::VARCHAR, ${shown}::VARCHAR) AS other FROM ${from} ORDER BY ${key.map((name) => `l.${name}`).join(', ')} LIMIT ${EXAMPLES}`,
  )
  return rows.map((row) => ({
    entity: String(row.entity),
    published: row.published === null ? null : String(row.published),
    other: row.other === null ? null : String(row.other),
  }))
}

function entityText(key: string[], alias: 'l' | 'r'): string {
  return key.map((name) => `coalesce(${alias}.${name}::VARCHAR, 'null')`).join(` || '/' || `)
}

function numberOr(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

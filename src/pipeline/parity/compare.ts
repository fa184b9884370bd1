import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'

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
  const sides = columns.map(sidesOf)
  const size = await engine.row(
    `SELECT count_if(${both}) AS rows, count_if(r._there IS NULL) AS only_l, count_if(l.${first} IS NULL) AS only_r FROM ${joined}`,
  )
  const rows = Number(size.rows)
  // Most columns are the same to the last bit: the others alone are looked at closely. A FILTER for each figure would
  // cost the square of the number of columns.
  const other = await figures(engine, joined, sides, LOOKED_AT, ({ exact }) => [
    `count_if(${both} AND NOT ${exact})`,
  ])
  const changed = sides.filter((side) => Number(other.get(side)?.[0]) > 0)
  const close = await figures(engine, joined, changed, COMPARED, (side) => closeLook(side, both))
  const by_column: ColumnComparison[] = []
  for (const side of sides) {
    const [differing, rounding, largest, published, others, zero, low, high] = close.get(side) ?? []
    const count = Number(differing ?? 0)
    by_column.push({
      column: side.name,
      type: side.type,
      values: rows,
      differing: count,
      rounding: Number(rounding ?? 0),
      largest_difference: numberOr(largest),
      null_published: Number(published ?? 0),
      null_other: Number(others ?? 0),
      null_or_zero: Number(zero ?? 0),
      shift: low === high ? numberOr(low) : null,
      examples:
        count === 0 ? [] : await examples(engine, `${joined} WHERE ${both} AND NOT ${side.same}`, key, side),
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
    only_published: Number(size.only_l),
    only_other: Number(size.only_r),
    examples_only: {
      published: Number(size.only_l) === 0 ? [] : await some('r._there IS NULL', 'l'),
      other: Number(size.only_r) === 0 ? [] : await some(`l.${first} IS NULL`, 'r'),
    },
    by_column,
  }
}

/** Columns of one statement: beyond some hundreds of figures its plan costs more than what it computes. */
const LOOKED_AT = 100
const COMPARED = 20

/** Figures of each column, in statements of `width` columns. */
async function figures(
  engine: Engine,
  from: string,
  sides: Sides[],
  width: number,
  of: (side: Sides) => string[],
): Promise<Map<Sides, unknown[]>> {
  const found = new Map<Sides, unknown[]>()
  for (let start = 0; start < sides.length; start += width) {
    const some = sides.slice(start, start + width)
    const fields = some.flatMap((side, column) =>
      of(side).map((figure, index) => `${figure} AS f${column}_${index}`),
    )
    const row = await engine.row(`SELECT ${fields.join(',\n ')} FROM ${from}`)
    for (const [column, side] of some.entries())
      found.set(
        side,
        of(side).map((_, index) => row[`f${column}_${index}`]),
      )
  }
  return found
}

/** Differing, rounding, the largest difference, null here, null there, null for zero, the least and greatest shift. */
function closeLook({ l, r, same, exact, number, unreadable }: Sides, both: string): string[] {
  const shift = `CASE WHEN ${both} AND NOT ${same} THEN ${r}::DOUBLE - ${l}::DOUBLE END`
  const counts = [
    `count_if(${both} AND NOT ${same})`,
    `count_if(${both} AND ${same} AND NOT ${exact})`,
    number
      ? `max(CASE WHEN ${both} AND NOT ${exact} AND isfinite(${l}::DOUBLE) AND isfinite(${r}::DOUBLE) THEN abs(${l}::DOUBLE - ${r}::DOUBLE) END)`
      : 'NULL::DOUBLE',
    `count_if(${both} AND ${l} IS NULL AND (${r} IS NOT NULL OR ${unreadable}))`,
    `count_if(${both} AND ${r} IS NULL AND NOT ${unreadable} AND ${l} IS NOT NULL)`,
  ]
  if (!number) return [...counts, '0', 'NULL::DOUBLE', 'NULL::DOUBLE']
  return [
    ...counts,
    `count_if(${both} AND ((${l} IS NULL AND ${r} = 0) OR (${r} IS NULL AND ${l} = 0)))`,
    `min(${shift})`,
    `max(${shift})`,
  ]
}

interface Sides extends Column {
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
  const number = /^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL.*)$/.test(type)
  return {
    name,
    type,
    l,
    r,
    exact,
    same: `(${exact}${near(type, l, r)})`,
    number,
    unreadable,
    shown: shown ?? r,
  }
}

/** SQL to be added to an equality of two values: true where they differ by rounding alone. */
function near(type: string, l: string, r: string): string {
  const tolerance = TOLERANCE[type]
  if (tolerance === undefined) return ''
  return ` OR coalesce(isfinite(${l}) AND isfinite(${r}) AND abs(${l}::DOUBLE - ${r}::DOUBLE) <= ${tolerance} * greatest(abs(${l}::DOUBLE), abs(${r}::DOUBLE)), false)`
}

/** SQL that is true where a column has the same value in rows `l` and `r`, which have it in the same type. */
export function sameValue({ name, type }: Column): string {
  const [l, r] = [`l.${identifier(name)}`, `r.${identifier(name)}`]
  return `(${l} IS NOT DISTINCT FROM ${r}${near(type, l, r)})`
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

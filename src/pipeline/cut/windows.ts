import type { Engine, Values } from '../engine/duckdb.ts'
import type { Range } from '../sources/footers.ts'
import { asNode, childrenOf, type Node, nodesIn, textsIn } from '../sql/syntax.ts'
import { ALL_TIME } from './wall-time.ts'

/**
 * The stretch of local time that a query reads of a source, by its own WHERE: `started_at >= $as_of - INTERVAL 30
 * DAY`. DuckDB skips row groups for a raw column and not for one that is converted, so the cut view says the stretch
 * once more in raw values: it leaves out only what the query leaves out itself. Without it a query over the last
 * 30 days of a year takes three times as long.
 */
export type Windows = Map<string, Map<string, Range>>

/** The bounds that one mention of a source puts on its columns, as expressions of DuckDB's tree. */
interface Mention {
  source: string
  alias: string
  bounds: { column: string; lower?: Node; upper?: Node }[]
}

/**
 * Finds the stretches, in microseconds of local time, by source and column in lower case. A source that is
 * mentioned anywhere without bounds has none. Throws nothing: if a bound cannot be determined, there is none.
 */
export async function findWindows(
  engine: Engine,
  tree: Node,
  sources: string[],
  values: Values,
): Promise<Windows> {
  const windows: Windows = new Map()
  try {
    const mentions = mentionsIn(tree, new Set(sources.map((source) => source.toLowerCase())))
    for (const source of sources) {
      const name = source.toLowerCase()
      const own = mentions.filter((mention) => mention.source === name)
      // A mention that was not understood, and a common table of the same name, count as one without bounds.
      if (own.length === 0 || own.length !== countTables(tree, name) || hasCommonTable(tree, name)) continue
      const ranges = await Promise.all(own.map((mention) => rangesOf(engine, mention, values)))
      const common = new Map<string, Range>()
      for (const [column, first] of ranges[0] ?? []) {
        const all = ranges.map((each) => each.get(column))
        if (all.every((range) => range !== undefined)) common.set(column, all.reduce(union, first))
      }
      windows.set(source, common)
    }
  } catch {
    // An expression that DuckDB cannot evaluate by itself; its own error comes with the query, if it is one.
    windows.clear()
  }
  return windows
}

function union(a: Range, b: Range): Range {
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max }
}

function mentionsIn(node: Node, sources: Set<string>): Mention[] {
  const own: Mention[] = []
  const from = asNode(node.from_table)
  if (node.type === 'SELECT_NODE' && from !== undefined) {
    const conjuncts = conjunctsOf(asNode(node.where_clause))
    const single = from.type === 'BASE_TABLE'
    for (const table of tablesOf(from, [])) {
      if (!sources.has(table.name)) continue
      const bounds = [...conjuncts, ...table.conjuncts].flatMap((each) => boundOf(each, table.alias, single))
      own.push({ source: table.name, alias: table.alias, bounds })
    }
  }
  return [...own, ...childrenOf(node).flatMap((child) => mentionsIn(child, sources))]
}

interface Table {
  name: string
  alias: string
  conjuncts: Node[]
}

/**
 * The tables of a FROM whose rows may be left out where they fail the WHERE, or a condition of a join that does not
 * keep them: not those of an ASOF or positional join, where one row stands in for another, nor the right side of
 * SEMI and ANTI joins, which the WHERE does not see.
 */
function tablesOf(from: Node, conjuncts: Node[]): Table[] {
  if (from.type === 'BASE_TABLE') {
    const name = String(from.table_name).toLowerCase()
    const alias = String(from.alias || from.table_name).toLowerCase()
    return textsIn(from.column_name_alias).length > 0 ? [] : [{ name, alias, conjuncts }]
  }
  const [left, right] = [asNode(from.left), asNode(from.right)]
  if (from.type !== 'JOIN' || left === undefined || right === undefined) return []
  if (from.ref_type !== 'REGULAR' && from.ref_type !== 'CROSS') return []
  const on = conjunctsOf(asNode(from.condition))
  switch (from.join_type) {
    case 'INNER':
      return [...tablesOf(left, [...conjuncts, ...on]), ...tablesOf(right, [...conjuncts, ...on])]
    case 'LEFT':
      return [...tablesOf(left, conjuncts), ...tablesOf(right, [...conjuncts, ...on])]
    case 'RIGHT':
      return [...tablesOf(left, [...conjuncts, ...on]), ...tablesOf(right, conjuncts)]
    case 'OUTER':
      return [...tablesOf(left, conjuncts), ...tablesOf(right, conjuncts)]
    default:
      return []
  }
}

function conjunctsOf(node: Node | undefined): Node[] {
  if (node === undefined) return []
  return node.type === 'CONJUNCTION_AND' ? nodesIn(node.children).flatMap(conjunctsOf) : [node]
}

function boundOf(node: Node, alias: string, single: boolean): Mention['bounds'] {
  const [left, right] = [asNode(node.left), asNode(node.right)]
  if (node.type === 'COMPARE_BETWEEN') {
    const column = columnOf(asNode(node.input), alias, single)
    const [lower, upper] = [asNode(node.lower), asNode(node.upper)]
    if (
      column === undefined ||
      lower === undefined ||
      upper === undefined ||
      !isConstant(lower) ||
      !isConstant(upper)
    )
      return []
    return [{ column, lower, upper }]
  }
  if (left === undefined || right === undefined) return []
  const onLeft = columnOf(left, alias, single)
  const column = onLeft ?? columnOf(right, alias, single)
  const other = onLeft === undefined ? left : right
  if (column === undefined || !isConstant(other)) return []
  const greater = node.type === 'COMPARE_GREATERTHAN' || node.type === 'COMPARE_GREATERTHANOREQUALTO'
  const less = node.type === 'COMPARE_LESSTHAN' || node.type === 'COMPARE_LESSTHANOREQUALTO'
  if (node.type === 'COMPARE_EQUAL') return [{ column, lower: other, upper: other }]
  if (!greater && !less) return []
  return [greater === (onLeft !== undefined) ? { column, lower: other } : { column, upper: other }]
}

/** An unqualified name is resolved if the FROM has one table only. */
function columnOf(node: Node | undefined, alias: string, single: boolean): string | undefined {
  if (node?.class !== 'COLUMN_REF') return undefined
  const path = textsIn(node.column_names).map((name) => name.toLowerCase())
  if (path.length === 1) return single ? path[0] : undefined
  return path.length === 2 && path[0] === alias ? path[1] : undefined
}

const CONSTANT = new Set(['FUNCTION', 'CAST', 'CONSTANT', 'PARAMETER'])

function isConstant(node: Node): boolean {
  if (typeof node.class === 'string' && !CONSTANT.has(node.class)) return false
  // Such a number has lost digits on its way through JSON.
  if (typeof node.value === 'number' && Number.isInteger(node.value) && !Number.isSafeInteger(node.value))
    return false
  return childrenOf(node).every(isConstant)
}

async function rangesOf(engine: Engine, mention: Mention, values: Values): Promise<Map<string, Range>> {
  const ranges = new Map<string, Range>()
  for (const { column, lower, upper } of mention.bounds) {
    const before = ranges.get(column) ?? ALL_TIME
    const min = lower === undefined ? undefined : await evaluate(engine, lower, values)
    const max = upper === undefined ? undefined : await evaluate(engine, upper, values)
    ranges.set(column, {
      min: min !== undefined && min > before.min ? min : before.min,
      max: max !== undefined && max < before.max ? max : before.max,
    })
  }
  return ranges
}

const TYPES = new Set(['TIMESTAMP', 'DATE', 'VARCHAR'])

/** Microseconds of a constant expression as TIMESTAMP; undefined for null, infinity and for other types. */
async function evaluate(engine: Engine, expression: Node, values: Values): Promise<bigint | undefined> {
  const tree = {
    error: false,
    statements: [{ node: { ...SELECT, select_list: [withoutPlaces(expression)] }, named_param_map: [] }],
  }
  const { text } = await engine.row('SELECT json_deserialize_sql($tree::JSON) AS text', {
    tree: JSON.stringify(tree),
  })
  const sql = String(text).replace(/^SELECT /, '')
  const used = Object.fromEntries(Object.entries(values).filter(([name]) => sql.includes(`$${name}`)))
  const row = await engine.row(
    `SELECT typeof(v) AS type, epoch_us(TRY_CAST(v AS TIMESTAMP)) AS at FROM (SELECT ${sql} AS v)`,
    used,
  )
  return TYPES.has(String(row.type)) && typeof row.at === 'bigint' ? row.at : undefined
}

const SELECT = {
  type: 'SELECT_NODE',
  modifiers: [],
  cte_map: { map: [] },
  from_table: { type: 'EMPTY', alias: '', sample: null },
  where_clause: null,
  group_expressions: [],
  group_sets: [],
  aggregate_handling: 'STANDARD_HANDLING',
  having: null,
  sample: null,
  qualify: null,
}

/** Unknown places are 2^64-1, which JavaScript rounds to a number that DuckDB refuses. */
function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaces)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) =>
      key === 'query_location' ? [] : [[key, withoutPlaces(each)]],
    ),
  )
}

function countTables(node: Node, name: string): number {
  const own = node.type === 'BASE_TABLE' && String(node.table_name).toLowerCase() === name ? 1 : 0
  return own + childrenOf(node).reduce((sum, child) => sum + countTables(child, name), 0)
}

function hasCommonTable(node: Node, name: string): boolean {
  const own = nodesIn(asNode(node.cte_map)?.map).some(({ key }) => String(key).toLowerCase() === name)
  return own || childrenOf(node).some((child) => hasCommonTable(child, name))
}

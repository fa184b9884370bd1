import type { Problem } from '../../project/files/problem.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { BoundPlan } from './bound-plan.ts'
import { loses, typeText } from './lossless-types.ts'
import { type CommonTables, columnsOf } from './plan-columns.ts'
import { isConstant, type PlanColumns, type Quantity, quantityOf } from './quantities.ts'
import { asNode, childrenOf, type Node, nodesIn, offsetIn, offsetOf, parseSql } from './syntax.ts'
import { placeOf } from './tokens.ts'

/** Two sides that are compared in a type that one of them does not fit. */
export interface UnlikeTypes {
  message: string
  /** Index of a character of the SQL, where it is known. */
  index: number | undefined
}

/** Functions that look for a value among others. */
const SEARCHES = new Set([
  ...[
    'contains',
    'list_contains',
    'array_contains',
    'list_has',
    'array_has',
    'list_position',
    'list_indexof',
  ],
  ...[
    'array_position',
    'array_indexof',
    'list_has_any',
    'array_has_any',
    'list_has_all',
    'array_has_all',
    '&&',
  ],
  ...['@>', '<@', 'list_intersect', 'array_intersect', 'map_extract', 'map_extract_value', 'map_contains'],
  ...['element_at'],
])

/**
 * Finds the comparisons, joins, set operations and choices (COALESCE, CASE, greatest, least) of bound SQL that DuckDB makes possible by a cast of its own which
 * loses something. A cast that the SQL itself writes is meant, and a constant takes the type of what it is compared with.
 * Counts lose nothing as DOUBLE. What was computed may be larger or smaller than a DOUBLE; whether it is equal may not be asked.
 * `untyped`: columns, in lower case, that have no value to lose.
 */
export async function findUnlike(
  engine: Engine,
  plan: BoundPlan,
  untyped: ReadonlySet<string>,
): Promise<UnlikeTypes[]> {
  const parsed = await parseSql(engine, plan.sql)
  const written = new Set<number>()
  if (parsed.ok) for (const statement of parsed.statements) collectCasts(statement, written)
  const found: UnlikeTypes[] = []
  const tables: CommonTables = new Map()
  for (const operator of nodesIn(plan.root.plans)) walk(operator)
  return found

  /** Looks into an operator and those below it. Returns the operator's columns. */
  function walk(operator: Node): PlanColumns {
    const children: PlanColumns[] = []
    for (const child of nodesIn(operator.children)) {
      children.push(walk(child))
      if (operator.type === 'LOGICAL_MATERIALIZED_CTE') tables.set(Number(operator.table_index), children[0])
    }
    const [left, right] = children
    const all = right === undefined ? left : left && [...left, ...right]
    for (const condition of nodesIn(operator.conditions)) {
      const sides = sidesOf(condition) ?? []
      compare(sides, condition, [left, right])
      for (const [at, side] of sides.entries()) look(side, at === 0 ? left : right)
    }
    for (const [field, value] of Object.entries(operator))
      if (field !== 'children' && field !== 'conditions')
        for (const node of nodesIn(Array.isArray(value) ? value : [value])) look(node, all)
    if (operator.type === 'LOGICAL_PROJECTION')
      for (const each of nodesIn(operator.expressions)) unite(each, left, 'rows')
    return columnsOf(operator, children, tables)
  }

  function look(node: Node, columns: PlanColumns): void {
    const sides = sidesOf(node)
    if (sides !== undefined) compare(sides, node, [columns])
    for (const each of choicesOf(node))
      if (quantityOf(each, columns) === 'value') unite(each, columns, 'values')
    for (const [field, value] of Object.entries(node)) {
      // A lambda numbers its own parameters.
      const known = field === 'function_data' ? undefined : columns
      for (const child of childrenOf({ value })) look(child, known)
    }
  }

  /** `columns`: those that each side reads, the last ones for all that follow. */
  function compare(sides: Node[], node: Node, columns: PlanColumns[]): void {
    const quantities = sides.map((side, at) => quantityOf(side, columns[Math.min(at, columns.length - 1)]))
    for (const [at, side] of sides.entries()) {
      const others = sides.filter((each) => each !== side)
      if (!isLossy(side, quantities[at]) || others.every(isConstant)) continue
      if (isOrder(node) && isNumeric(side) && quantities.some((each) => each !== 'value')) continue
      const own = asNode(side.child) ?? {}
      const other = others.find((each) => !isConstant(each)) ?? {}
      const bare = isImplicit(other) ? (asNode(other.child) ?? {}) : other
      if (untyped.has(nameOf(bare).toLowerCase())) continue
      const [from, to] = [typeOf(own), typeOf(bare)]
      const [a, b] = [nameOf(own) || 'x', nameOf(bare) || 'y']
      say(
        node,
        side,
        `${nameOf(own) === '' ? from : `${a} (${from})`} is compared with ${nameOf(bare) === '' ? to : `${b} (${to})`}, and as ${typeText(asNode(side.return_type))} values that differ may be equal or be none: ${isPlain(from) && isPlain(to) ? `write the cast that you mean, ${b}::${from} or ${a}::${to}` : 'cast one of them to the type of the other'}`,
      )
    }
  }

  /**
   * A cast of DuckDB's own over a whole column of a SELECT comes of UNION, EXCEPT, INTERSECT, VALUES or a recursion;
   * over one of the values that are chosen from it makes one key of two, as in a FULL JOIN whose sides have unlike ones.
   */
  function unite(expression: Node, columns: PlanColumns, among: 'rows' | 'values'): void {
    const to = asNode(expression.return_type)
    if (!isLossy(expression, quantityOf(expression, columns)) || to?.id === 'VARCHAR') return
    const own = asNode(expression.child) ?? {}
    say(
      expression,
      expression,
      `${nameOf(own) || 'a column'} is ${typeOf(own)}, and becomes ${typeText(to)} among the ${among} that it is put together with, which loses digits: write the cast that you mean, ${nameOf(own) || 'x'}::${typeText(to)} or one of the other side`,
    )
  }

  function isLossy(node: Node, quantity: Quantity | undefined): boolean {
    const child = asNode(node.child)
    if (
      !isImplicit(node) ||
      child === undefined ||
      isConstant(child) ||
      untyped.has(nameOf(child).toLowerCase())
    )
      return false
    if (quantity === 'count' && asNode(node.return_type)?.id === 'DOUBLE') return false
    return loses(asNode(child.return_type), asNode(node.return_type))
  }

  /** A written cast stands where the SQL writes it; one of DuckDB's own stands where its child does, or nowhere. */
  function isImplicit(node: Node): boolean {
    if (node.expression_class !== 'BOUND_CAST') return false
    const [at, child] = [offsetOf(node), asNode(node.child)]
    if (at === undefined || !written.has(at)) return true
    return child?.expression_class === 'BOUND_CAST' && offsetOf(child) === at
  }

  function say(node: Node, side: Node, message: string): void {
    if (found.some((each) => each.message === message)) return
    const offset = offsetOf(side) ?? offsetOf(node) ?? offsetIn(node)
    found.push({ message, index: offset === undefined ? undefined : plan.indexOf(offset) })
  }
}

/** As a problem of the SQL's file. */
export function problemIn(sql: string, file: string, { message, index }: UnlikeTypes): Problem {
  const place = index === undefined ? undefined : placeOf(sql, index)
  return { severity: 'error', file, line: place?.line, column: place?.column, message }
}

function sidesOf(node: Node): Node[] | undefined {
  const pick = (...names: string[]) =>
    names.map((name) => asNode(node[name])).filter((each) => each !== undefined)
  if (
    node.expression_class === 'BOUND_COMPARISON' ||
    (node.comparison !== undefined && node.left !== undefined)
  )
    return pick('left', 'right')
  if (node.expression_class === 'BOUND_BETWEEN') return pick('input', 'lower', 'upper')
  if (node.type === 'COMPARE_IN' || node.type === 'COMPARE_NOT_IN') return nodesIn(node.children)
  if (node.expression_class === 'BOUND_FUNCTION' && SEARCHES.has(String(node.name)))
    return nodesIn(node.children)
  return undefined
}

/** The values of which an expression gives one, in one type for all: of COALESCE, CASE or if, greatest and least. */
function choicesOf(node: Node): Node[] {
  if (node.expression_class === 'BOUND_CASE') {
    const branches = nodesIn(node.case_checks).map(({ then_expr }) => then_expr)
    return nodesIn([...branches, node.else_expr])
  }
  const isChoice =
    node.type === 'OPERATOR_COALESCE' ||
    (node.expression_class === 'BOUND_FUNCTION' && (node.name === 'greatest' || node.name === 'least'))
  return isChoice ? nodesIn(node.children) : []
}

const ORDERS = new Set([
  ...['COMPARE_LESSTHAN', 'COMPARE_GREATERTHAN', 'COMPARE_LESSTHANOREQUALTO', 'COMPARE_GREATERTHANOREQUALTO'],
  'COMPARE_BETWEEN',
])

/** Which is larger, and not whether two are the same. */
function isOrder({ type, comparison }: Node): boolean {
  return ORDERS.has(String(comparison ?? type))
}

/** A number that is compared as DOUBLE, which keeps all of it but digits that no measure has. */
function isNumeric(cast: Node): boolean {
  return (
    asNode(cast.return_type)?.id === 'DOUBLE' && asNode(asNode(cast.child)?.return_type)?.id !== 'VARCHAR'
  )
}

function collectCasts(node: Node, into: Set<number>): void {
  const offset = node.class === 'CAST' ? offsetOf(node) : undefined
  if (offset !== undefined) into.add(offset)
  for (const child of childrenOf(node)) collectCasts(child, into)
}

function nameOf({ expression_class, alias }: Node): string {
  return (expression_class === 'BOUND_REF' || expression_class === 'BOUND_COLUMN_REF') &&
    typeof alias === 'string'
    ? alias
    : ''
}

function typeOf(node: Node): string {
  const type = asNode(node.return_type) ?? asNode(asNode(node.value)?.type)
  return typeText(type)
}

function isPlain(type: string): boolean {
  return !type.endsWith('[]') && !/^(?:STRUCT|MAP|ARRAY)/.test(type)
}

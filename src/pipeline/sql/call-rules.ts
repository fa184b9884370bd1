import { LISTS, NAMED_IN_TEXT, ORDERED, RANKING, TIED, TIED_WINDOWS, UNORDERABLE } from './determinism.ts'
import { refusalOf } from './legal-functions.ts'
import type { SqlProblems } from './sql-problems.ts'
import { asNode, type Node, nodesIn, offsetIn } from './syntax.ts'

const ORDER_MODIFIER = 'ORDER_MODIFIER'

/** What is wrong with a call: a function that is refused, and an answer that the order of rows decides. */
export function checkCall(node: Node, at: SqlProblems, sorted: boolean): void {
  const name = String(node.function_name).toLowerCase()
  const say = (severity: 'error' | 'advice', message: string) => at.sayNode(severity, node, name, message)
  const reason =
    refusalOf(name) ??
    (name === 'age' && nodesIn(node.children).length === 1
      ? 'with one argument depends on when it runs: age($as_of, x)'
      : undefined)
  if (reason !== undefined) say('error', `${name}() ${reason}`)
  else if (UNORDERABLE.has(name))
    say('error', `${name}() depends on the order of rows: use to_json(list(x ORDER BY y))`)
  if (NAMED_IN_TEXT.has(name)) checkNamed(node, name, at)
  const orders = nodesIn(asNode(node.order_bys)?.orders)
  if (ORDERED.has(name) && orders.length === 0 && !(sorted && LISTS.has(name)))
    say('error', `${name}() depends on the order of rows: add ORDER BY, as in ${name}(x ORDER BY y)`)
  if (ORDERED.has(name) && leavesTies(orders, node)) say('advice', tiesWithin(name))
  if (TIED.has(name) && !isTieBroken(node)) say('advice', tiesOf(name))
}

export function checkWindow(node: Node, at: SqlProblems): void {
  const name = String(node.function_name).toLowerCase()
  const say = (severity: 'error' | 'advice', message: string) => at.sayNode(severity, node, name, message)
  const reason = refusalOf(name)
  if (reason !== undefined) say('error', `${name}() ${reason}`)
  const [orders, own] = [nodesIn(node.orders), nodesIn(node.arg_orders)]
  const bounds = [node.start, node.end].map(String)
  const framed = bounds.some((bound) => /_ROWS$|_GROUPS$/.test(bound))
  if (orders.length + own.length === 0 && (RANKING.has(name) || ORDERED.has(name) || framed))
    say('error', `${name}() OVER without ORDER BY depends on the order of rows: add ORDER BY`)
  else if (TIED_WINDOWS.has(name))
    say(
      'advice',
      `${name}() numbers rows that tie as they come, and runs may differ: order by enough columns to leave none`,
    )
  else if (ORDERED.has(name) && leavesTies(own.length > 0 ? own : orders, node))
    say('advice', tiesWithin(name))
  else if (bounds.some((bound) => /_ROWS$/.test(bound)) && orders.length === 1)
    say(
      'advice',
      `ROWS counts rows that tie as they come, and runs may differ: order by enough columns to leave none, or say RANGE`,
    )
  if (TIED.has(name) && !isTieBroken(node)) say('advice', tiesOf(name))
}

export function checkJoin(node: Node, at: SqlProblems): void {
  if (node.ref_type === 'POSITIONAL')
    at.sayWord(['positional'], 'POSITIONAL JOIN depends on the order of rows: join by a key')
  if (node.ref_type === 'ASOF')
    at.sayToken(
      'advice',
      at.word('asof'),
      'ASOF JOIN takes whichever row comes first of those that tie, and runs may differ: leave one row for each key and time, as with GROUP BY',
    )
}

export function checkModifiers(node: Node, at: SqlProblems): void {
  const modifiers = nodesIn(node.modifiers)
  const ordered = modifiers.some(({ type, orders }) => type === ORDER_MODIFIER && nodesIn(orders).length > 0)
  for (const modifier of modifiers) {
    if (modifier.type === 'DISTINCT_MODIFIER' && nodesIn(modifier.distinct_on_targets).length > 0) {
      const place = at.tokenBefore('distinct', offsetIn(modifier))
      if (ordered)
        at.sayToken(
          'advice',
          place,
          'DISTINCT ON takes whichever row comes first of those that ORDER BY leaves equal: order by enough columns to leave none',
        )
      else at.sayToken('error', place, 'DISTINCT ON depends on the order of rows: add ORDER BY')
    }
    if (modifier.type === 'LIMIT_MODIFIER' || modifier.type === 'LIMIT_PERCENT_MODIFIER') {
      const place = at.tokenBefore('limit', offsetIn(modifier)) ?? at.word('limit')
      if (ordered)
        at.sayToken(
          'advice',
          place,
          'LIMIT cuts through rows that ORDER BY leaves equal, and runs may differ: order by enough columns to leave none',
        )
      else at.sayToken('error', place, 'LIMIT depends on the order of rows: add ORDER BY')
    }
  }
}

/** `list_aggregate(x, 'sum')`: the aggregate goes by the rules of its own name. A list has an order already. */
function checkNamed(node: Node, name: string, at: SqlProblems): void {
  const method = typeof node.schema === 'string' && !['', 'main'].includes(node.schema)
  const argument = nodesIn(node.children)[method ? 0 : 1]
  const value = argument?.class === 'CONSTANT' ? asNode(argument.value)?.value : undefined
  if (typeof value !== 'string') {
    at.sayNode(
      'error',
      node,
      name,
      `${name}() needs the aggregate's name as plain text, as in ${name}(x, 'sum')`,
    )
    return
  }
  const aggregate = value.toLowerCase()
  const reason = refusalOf(aggregate)
  if (reason !== undefined)
    at.sayNode('error', node, name, `${name}(x, '${value}'): ${aggregate}() ${reason}`)
  else if (TIED.has(aggregate)) at.sayNode('advice', node, name, tiesOf(aggregate))
}

/** One column to order by, and not the value itself: rows that tie in it may differ in the value. */
function leavesTies(orders: Node[], node: Node): boolean {
  const [only, more] = orders
  if (only === undefined || more !== undefined) return false
  const expression = asNode(only.expression) ?? {}
  if (isRow(expression)) return false
  return textOf(expression) !== textOf(nodesIn(node.children)[0] ?? {})
}

/** A row or struct to compare by is the tie-breaker that the advice asks for. */
function isTieBroken(node: Node): boolean {
  return isRow(nodesIn(node.children)[1])
}

function isRow(node: Node | undefined): boolean {
  return ['row', 'struct_pack'].includes(String(node?.function_name))
}

function textOf(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) =>
    key === 'query_location' ? undefined : value,
  ).toLowerCase()
}

function tiesOf(name: string): string {
  return `${name}() takes whichever row comes first of those that tie, and runs may differ: compare by enough columns to leave none, as in ${name}(x, (y, id))`
}

function tiesWithin(name: string): string {
  return `${name}() takes rows that its ORDER BY leaves equal as they come, and runs may differ: order by enough columns to leave none, as in ${name}(x ORDER BY y, x)`
}

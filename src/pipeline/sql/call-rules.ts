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
    (name === 'age' && argumentsOf(node).length < 2
      ? 'with one argument depends on when it runs: age($as_of, x)'
      : undefined)
  if (reason !== undefined) say('error', `${name}() ${reason}`)
  else if (UNORDERABLE.has(name))
    say('error', `${name}() depends on the order of rows: use to_json(list(x ORDER BY y))`)
  if (NAMED_IN_TEXT.has(name)) checkNamed(node, name, at)
  const keys = sortKeys(node.order_bys)
  if (ORDERED.has(name) && keys.length === 0 && !(sorted && LISTS.has(name)))
    say('error', `${name}() depends on the order of rows: add ORDER BY, as in ${name}(x ORDER BY y)`)
  if (ORDERED.has(name) && leavesTies(keys, node)) say('advice', tiesWithin(name))
  if (TIED.has(name) && !isTieBroken(node)) say('advice', tiesOf(name))
}

export function checkWindow(node: Node, at: SqlProblems): void {
  const name = String(node.function_name).toLowerCase()
  const say = (severity: 'error' | 'advice', message: string) => at.sayNode(severity, node, name, message)
  const reason = refusalOf(name)
  if (reason !== undefined) say('error', `${name}() ${reason}`)
  const [keys, own] = [sortKeys(node), sortKeys({ orders: node.arg_orders })]
  const bounds = [node.start, node.end].map(String)
  const framed = bounds.some((bound) => /_ROWS$|_GROUPS$/.test(bound))
  if (keys.length + own.length === 0 && (RANKING.has(name) || ORDERED.has(name) || framed))
    say('error', `${name}() OVER without ORDER BY depends on the order of rows: add ORDER BY`)
  else if (TIED_WINDOWS.has(name))
    say(
      'advice',
      `${name}() numbers rows that tie as they come, and runs may differ: order by enough columns to leave none`,
    )
  else if (ORDERED.has(name) && leavesTies(own.length > 0 ? own : keys, node)) say('advice', tiesWithin(name))
  else if (bounds.some((bound) => /_ROWS$/.test(bound)) && keys.length === 1)
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

/** Texts that a collation takes for equal are one group, of which any may be shown. */
export function checkCollation(node: Node, at: SqlProblems): void {
  at.sayNode(
    'advice',
    node,
    'collate',
    'COLLATE makes texts equal that differ, and GROUP BY, DISTINCT, min and max keep whichever of them comes first, so runs may differ: put together lower(x) or strip_accents(x) instead',
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
  const [, argument] = argumentsOf(node)
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

/** `x.upper()` has its first argument where a schema's name stands. */
function argumentsOf({ schema, children }: Node): (Node | undefined)[] {
  const isMethod = typeof schema === 'string' && !['', 'main'].includes(schema)
  return isMethod ? [undefined, ...nodesIn(children)] : nodesIn(children)
}

/** What rows are ordered by: members of a row each by themselves, nothing twice, and no constant, which orders nothing. */
function sortKeys(modifier: unknown): string[] {
  return distinctKeys(nodesIn(asNode(modifier)?.orders).map(({ expression }) => asNode(expression) ?? {}))
}

function distinctKeys(expressions: Node[]): string[] {
  const keys = expressions.flatMap((each) => (isRow(each) ? nodesIn(each.children) : [each]))
  return [...new Set(keys.filter((key) => key.class !== 'CONSTANT').map(textOf))]
}

/** One column to order by, and not the value itself: rows that tie in it may differ in the value. */
function leavesTies(keys: string[], node: Node): boolean {
  return keys.length === 1 && keys[0] !== textOf(nodesIn(node.children)[0] ?? {})
}

/** A row or struct to compare by is the tie-breaker that the advice asks for. */
function isTieBroken(node: Node): boolean {
  const key = argumentsOf(node)[1]
  return key !== undefined && isRow(key) && distinctKeys([key]).length > 1
}

function isRow({ function_name }: Node): boolean {
  return ['row', 'struct_pack'].includes(String(function_name))
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

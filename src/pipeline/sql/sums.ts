import type { Column } from '../engine/facts.ts'
import type { CutQuery } from './cut-query.ts'
import { itemOf } from './select-list.ts'
import { asNode, childrenOf, type Node, nodesIn, textsIn } from './syntax.ts'

/** Aggregates that add floating point numbers, in whatever order threads come by. */
const ADDING = new Set([
  ...[
    'sum',
    'avg',
    'mean',
    'fsum',
    'favg',
    'sumkahan',
    'kahan_sum',
    'product',
    'stddev',
    'stddev_pop',
    'stddev_samp',
    'variance',
    'var_pop',
    'var_samp',
  ],
  ...[
    'skewness',
    'kurtosis',
    'kurtosis_pop',
    'sem',
    'corr',
    'covar_pop',
    'covar_samp',
    'geomean',
    'geometric_mean',
    'weighted_avg',
    'wavg',
    'entropy',
  ],
  ...[
    'regr_avgx',
    'regr_avgy',
    'regr_intercept',
    'regr_r2',
    'regr_slope',
    'regr_sxx',
    'regr_sxy',
    'regr_syy',
  ],
])
const DEPTH = 20

/**
 * Where a sum of doubles reaches the output as DOUBLE: its last bits differ from run to run. Follows names through
 * subqueries and common tables by their aliases; a cast to anything but DOUBLE, or rounding, ends the search.
 */
export function sumAdvice(query: CutQuery, columns: Column[]): { node: Node; message: string }[] {
  if (query.checked.tree === undefined) return []
  const aliases = aliasesIn(query.checked.tree)
  const floats = new Set(
    query.tables.flatMap(({ schema }) =>
      schema.columns
        .filter(({ type }) => type === 'FLOAT' || type === 'DOUBLE')
        .map(({ name }) => name.toLowerCase()),
    ),
  )
  return columns.flatMap(({ name, type }, index) => {
    const item = type === 'DOUBLE' ? itemOf(query.checked.tree, name, index) : undefined
    if (item === undefined || !addsFloats(item, aliases, floats, 0)) return []
    return [
      {
        node: item,
        message: `column ${name} is a sum of doubles, whose last bits differ from run to run: cast it to FLOAT, or sum x::DECIMAL(18, 6)`,
      },
    ]
  })
}

function addsFloats(node: Node, aliases: Map<string, Node[]>, floats: Set<string>, depth: number): boolean {
  if (depth > DEPTH || endsSearch(node)) return false
  const name = String(node.function_name ?? '').toLowerCase()
  if (ADDING.has(name)) return isFloat(node, aliases, floats, depth + 1)
  if (node.class === 'COLUMN_REF') {
    const column = textsIn(node.column_names).at(-1)?.toLowerCase() ?? ''
    return (aliases.get(column) ?? []).some(
      (each) => each !== node && addsFloats(each, aliases, floats, depth + 1),
    )
  }
  return childrenOf(node).some((child) => addsFloats(child, aliases, floats, depth + 1))
}

/** Whether floating point goes into an expression, as far as names tell. */
function isFloat(node: Node, aliases: Map<string, Node[]>, floats: Set<string>, depth: number): boolean {
  if (depth > DEPTH) return false
  if (node.class === 'CAST') {
    const type = String(asNode(node.cast_type)?.id)
    return type === 'DOUBLE' || type === 'FLOAT'
  }
  if (node.class === 'COLUMN_REF') {
    const column = textsIn(node.column_names).at(-1)?.toLowerCase() ?? ''
    return (
      floats.has(column) ||
      (aliases.get(column) ?? []).some((each) => each !== node && isFloat(each, aliases, floats, depth + 1))
    )
  }
  // What only decides which rows count adds nothing.
  const {
    filter: _filter,
    filter_expr: _filterExpr,
    partitions: _partitions,
    order_bys: _orders,
    orders: _order,
    ...rest
  } = node
  return childrenOf(rest).some((child) => isFloat(child, aliases, floats, depth + 1))
}

function endsSearch(node: Node): boolean {
  if (node.class === 'CAST') return String(asNode(node.cast_type)?.id) !== 'DOUBLE'
  return (
    ['round', 'floor', 'ceil', 'ceiling', 'trunc', 'sign'].includes(String(node.function_name)) ||
    node.class === 'COMPARISON'
  )
}

function aliasesIn(node: Node, found = new Map<string, Node[]>()): Map<string, Node[]> {
  for (const item of nodesIn(node.select_list)) {
    if (typeof item.alias !== 'string' || item.alias === '') continue
    const name = item.alias.toLowerCase()
    found.set(name, [...(found.get(name) ?? []), item])
  }
  for (const child of childrenOf(node)) aliasesIn(child, found)
  return found
}

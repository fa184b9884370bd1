import { asNode, childrenOf, type Node, nodesIn, textsIn } from './syntax.ts'

/** Calls that keep apart what differs in one of their arguments. */
const KEEPING = new Set([
  '||',
  'any_value',
  'coalesce',
  'concat',
  'concat_ws',
  'epoch_ns',
  'epoch_us',
  'first',
  'hash',
  'max',
  'md5',
  'min',
  'sha256',
  'strftime',
])
const TEXT_OR_TIME = /^(VARCHAR|TIMESTAMP)/

/**
 * Names (in lower case) of the columns whose whole values may stand in columns of these names: under another name, as text,
 * or as a part of one, through CTEs and subqueries. By names alone, so that more may be found than there are.
 */
export function namesBehind(tree: Node, names: Iterable<string>): Set<string> {
  const items = selectItems(tree)
  const behind = new Set([...names].map((name) => name.toLowerCase()))
  for (let before = -1; before !== behind.size; ) {
    before = behind.size
    for (const item of items) {
      const refs = wholeRefs(item)
      const name = nameOf(item)
      if (name !== undefined && behind.has(name)) for (const ref of refs) behind.add(ref)
    }
  }
  return behind
}

/** The items of every SELECT, however deep. */
function selectItems(node: Node): Node[] {
  const own = node.type === 'SELECT_NODE' ? nodesIn(node.select_list) : []
  return [...own, ...childrenOf(node).flatMap(selectItems)]
}

function nameOf(item: Node): string | undefined {
  const name = item.alias === '' ? textsIn(item.column_names).at(-1) : item.alias
  return typeof name === 'string' ? name.toLowerCase() : undefined
}

function wholeRefs(node: Node): string[] {
  switch (node.class) {
    case 'COLUMN_REF':
      return textsIn(node.column_names)
        .slice(-1)
        .map((name) => name.toLowerCase())
    case 'CAST':
      return TEXT_OR_TIME.test(String(asNode(node.cast_type)?.id)) ? childrenOf(node).flatMap(wholeRefs) : []
    case 'FUNCTION':
    case 'OPERATOR':
      return keeps(node) ? nodesIn(node.children).flatMap(wholeRefs) : []
    default:
      return []
  }
}

function keeps({ function_name, type }: Node): boolean {
  return KEEPING.has(String(function_name)) || type === 'OPERATOR_COALESCE'
}

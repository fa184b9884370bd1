import { asNode, type Node, nodesIn, textsIn } from './syntax.ts'

/** The expression of an output column in the outermost SELECT, if it is known: a star hides it. */
export function itemOf(tree: Node | undefined, name: string, index: number): Node | undefined {
  const items = selectList(tree)
  const named = items.filter(
    (item) => item.alias === name || (item.alias === '' && textsIn(item.column_names).at(-1) === name),
  )
  return named.at(-1) ?? (items.some((item) => item.class === 'STAR') ? undefined : items[index])
}

/** Of a UNION the first SELECT, which names the columns. */
function selectList(node: Node | undefined): Node[] {
  if (node === undefined) return []
  return node.type === 'SELECT_NODE'
    ? nodesIn(node.select_list)
    : selectList(asNode(node.left) ?? nodesIn(node.children)[0])
}

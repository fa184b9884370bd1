import { isAggregate } from './legal-functions.ts'
import { asNode, childrenOf, type Node, nodesIn, textsIn } from './syntax.ts'

/** A table of a FROM whose rows belong to one entity each. */
export interface KeyedTable {
  /** In lower case. */
  alias: string
  /** What the entity's columns are called in it, in lower case and in their order; undefined where it does not have them all. */
  names: string[] | undefined
  /** An outer join may fill its columns with null. */
  nullable: boolean
}

/** What a FROM shows. Where no table is keyed, its rows are the same in every shard. */
export interface EntityScope {
  tables: KeyedTable[]
  /** Of all tables, in lower case. */
  aliases: string[]
  /** Names of the entity's columns that USING has merged, to their place in the entity. */
  merged: Map<string, number>
  /** The first table is keyed, so that its columns come first in `*`. */
  startsKeyed: boolean
}

export const NO_TABLE: EntityScope = { tables: [], aliases: [], merged: new Map(), startsKeyed: false }

/** Which column of the entity an expression is, in this scope; undefined where it is none, or may be null instead. */
export function entityIndex(node: Node | undefined, scope: EntityScope): number | undefined {
  if (node?.class !== 'COLUMN_REF') return undefined
  const path = textsIn(node.column_names).map((name) => name.toLowerCase())
  const [first = '', second] = path
  if (path.length === 1) {
    const merged = scope.merged.get(first)
    if (merged !== undefined) return merged
    const having = scope.tables.filter(({ names }) => names?.includes(first) === true)
    if (having.length === 0 || having.some(({ nullable }) => nullable)) return undefined
    return placeIn(having[0], first)
  }
  if (path.length !== 2 || second === undefined) return undefined
  return placeIn(
    scope.tables.find(({ alias, nullable }) => alias === first && !nullable),
    second,
  )
}

function placeIn(table: KeyedTable | undefined, name: string): number | undefined {
  const place = table?.names?.indexOf(name) ?? -1
  return place < 0 ? undefined : place
}

/** Which column of the entity an expression is in a scope around this one: only `alias.column` leaves no doubt. */
export function outerIndex(
  node: Node | undefined,
  inner: EntityScope,
  outer: EntityScope,
): number | undefined {
  const path = textsIn(node?.column_names)
  if (path.length !== 2 || inner.aliases.includes(path[0]?.toLowerCase() ?? '')) return undefined
  return entityIndex(node, outer)
}

/** Which columns of the entity are equated by conditions, all of which hold. */
export function equated(
  conditions: Node[],
  left: (node: Node | undefined) => number | undefined,
  right: (node: Node | undefined) => number | undefined,
): Set<number> {
  const found = new Set<number>()
  for (const condition of conditions) {
    if (condition.type !== 'COMPARE_EQUAL') continue
    const [a, b] = [asNode(condition.left), asNode(condition.right)]
    for (const [l, r] of [
      [left(a), right(b)],
      [left(b), right(a)],
    ])
      if (l !== undefined && l === r) found.add(l)
  }
  return found
}

/** The parts of a condition that all have to hold. */
export function conjuncts(node: Node | undefined): Node[] {
  if (node === undefined) return []
  return node.type === 'CONJUNCTION_AND' ? nodesIn(node.children).flatMap(conjuncts) : [node]
}

/** The name of an item of a SELECT, in lower case; undefined for a star. */
export function outputName(item: Node): string | undefined {
  if (item.class === 'STAR') return undefined
  const alias = typeof item.alias === 'string' ? item.alias : ''
  return (alias === '' ? textsIn(item.column_names).at(-1) : alias)?.toLowerCase()
}

/** What a subquery sees around it. A scope without keyed tables hides those of its aliases. */
export function around(scope: EntityScope, outer: EntityScope | undefined): EntityScope | undefined {
  if (scope.tables.length > 0 || outer === undefined) return scope
  return { ...outer, tables: outer.tables.filter(({ alias }) => !scope.aliases.includes(alias)) }
}

/** What a key of GROUP BY stands for: a number or the name of an item. */
export function behind(group: Node, items: Node[]): Node {
  const { value } = asNode(group.value) ?? {}
  if (
    group.class === 'CONSTANT' &&
    typeof value === 'number' &&
    !items.slice(0, value).some((item) => item.class === 'STAR')
  )
    return items[value - 1] ?? group
  const path = textsIn(group.column_names)
  const named = path.length === 1 ? items.find((item) => item.alias === path[0]) : undefined
  return named ?? group
}

/** The first aggregate of an expression. */
export function aggregateIn(node: Node): Node | undefined {
  if (node.class === 'SUBQUERY' || node.class === 'WINDOW') return undefined
  if (node.class === 'FUNCTION' && isAggregate(String(node.function_name).toLowerCase())) return node
  for (const child of childrenOf(node)) {
    const found = aggregateIn(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** A star that begins with the columns of a keyed table, and leaves out, replaces and renames none of them. */
export function isStarOf(item: Node, scope: EntityScope): boolean {
  const names = scope.tables.flatMap((table) => table.names ?? [])
  const touches = (list: unknown) => {
    const text = JSON.stringify(list ?? null).toLowerCase()
    return names.some((name) => text.includes(JSON.stringify(name)))
  }
  const changed = ['exclude_list', 'qualified_exclude_list', 'replace_list', 'rename_list', 'expr']
  if (item.columns === true || changed.some((field) => touches(item[field]))) return false
  const alias = String(item.relation_name ?? '').toLowerCase()
  const [first] = scope.tables
  if (alias === '') return scope.startsKeyed && first?.nullable === false
  return scope.tables.some((table) => table.alias === alias && !table.nullable)
}

import type { Problem } from '../../project/files/problem.ts'
import {
  aggregateIn,
  around,
  behind,
  conjuncts,
  type EntityScope,
  entityIndex,
  equated,
  isStarOf,
  type KeyedTable,
  NO_TABLE,
  outerIndex,
  outputName,
} from './entity-scope.ts'
import { SqlProblems } from './sql-problems.ts'
import { asNode, childrenOf, type Node, nodesIn, offsetIn, offsetOf, textsIn } from './syntax.ts'

export interface PerEntityOptions {
  /** Named in problems. */
  file: string
  entity: string[]
  /** Names of the sources whose files lie in buckets of the entity. */
  bucketed: string[]
}

/**
 * Whether every row of the SQL depends on rows of one entity alone, as far as its syntax shows: what it does not show is refused.
 * Sources without buckets are read whole by every shard and may be joined in any way that keeps none of their rows by itself.
 *
 * By induction over the tree: a table is `whole` (it reads no bucketed source), or `keyed` (each row belongs to one entity, whose columns
 * it may show). Two keyed tables are joined by equality of the whole entity; groups, windows and DISTINCT ON have the entity among their
 * keys; nothing is limited; subqueries read keyed tables for the entity of the row around them alone.
 */
export function perEntityProblems(tree: Node, sql: string, options: PerEntityOptions): Problem[] {
  const at = new SqlProblems(sql, options.file)
  try {
    const rows = new PerEntity(options).query(tree, new Map(), undefined)
    const names = options.entity.map((name) => name.toLowerCase())
    if (rows === WHOLE)
      throw new Mixed(
        tree,
        `reads no source with buckets, so that every shard would give all rows: read ${options.bucketed.join(' or ')}`,
      )
    if (rows.names === undefined || rows.names.some((name, index) => name !== names[index]))
      throw new Mixed(
        tree,
        `does not show that its rows are of one entity each: select ${options.entity.join(', ')} as ${names.length === 1 ? 'it is' : 'they are'} in ${options.bucketed.join(' or ')}, before other columns of that name`,
      )
  } catch (error) {
    if (!(error instanceof Mixed)) throw error
    const { node, message } = error
    const offset = offsetOf(node) ?? offsetIn(node)
    at.sayNode(
      'error',
      offset === undefined ? node : { query_location: offset },
      String(node.function_name ?? ''),
      `per_entity of view.yaml: features.sql ${message}, or remove per_entity`,
    )
  }
  return at.problems
}

/** What says that a row depends on other entities, or may. */
class Mixed extends Error {
  readonly node: Node
  constructor(node: Node, message: string) {
    super(message)
    this.node = node
  }
}

const WHOLE = 'whole'
interface Keyed {
  /** What the entity's columns are called, in lower case; undefined where they are not all there. */
  names: string[] | undefined
  /** Their places in the SELECT, where no star stands before them. */
  places: number[] | undefined
  /** All rows are of the entity of the row around the subquery. */
  pinned: boolean
}
type Rows = typeof WHOLE | Keyed
type Common = ReadonlyMap<string, Rows>

class PerEntity {
  readonly #entity: string[]
  readonly #words: string
  readonly #bucketed: Set<string>

  constructor({ entity, bucketed }: PerEntityOptions) {
    this.#entity = entity.map((name) => name.toLowerCase())
    this.#words = entity.join(', ')
    this.#bucketed = new Set(bucketed.map((name) => name.toLowerCase()))
  }

  /** `outer` is what a subquery sees of the query around it. Throws a Mixed. */
  query(node: Node, common: Common, outer: EntityScope | undefined): Rows {
    const tables = new Map(common)
    for (const entry of nodesIn(asNode(node.cte_map)?.map)) {
      const value = asNode(entry.value)
      const body = asNode(asNode(value?.query)?.node)
      if (body !== undefined)
        tables.set(
          String(entry.key).toLowerCase(),
          renamed(this.query(body, tables, undefined), textsIn(value?.aliases)),
        )
    }
    switch (node.type) {
      case 'SELECT_NODE':
        return this.#select(node, tables, outer)
      case 'SET_OPERATION_NODE':
        return this.#both(node, tables, outer)
      default:
        if (!this.#mentions(node, tables)) return WHOLE
        throw new Mixed(
          node,
          'reads a source with buckets where it cannot be seen that entities stay apart, as in a recursive query: write plain SELECTs',
        )
    }
  }

  /** UNION, EXCEPT and INTERSECT. */
  #both(node: Node, common: Common, outer: EntityScope | undefined): Rows {
    const sides = [...nodesIn([node.left, node.right]), ...nodesIn(node.children)].map((side) => ({
      side,
      rows: this.query(side, common, outer),
    }))
    const keyed = sides.flatMap(({ rows }) => (rows === WHOLE ? [] : [rows]))
    const [first] = keyed
    if (first === undefined) return WHOLE
    const whole = sides.find(({ rows }) => rows === WHOLE)
    if (whole !== undefined)
      throw new Mixed(
        whole.side,
        'adds rows of a source without buckets to rows of one with: every shard would add them; give that source buckets',
      )
    const pinned = keyed.every((each) => each.pinned)
    this.#refuseLimit(node, pinned)
    const alike = keyed.every(
      ({ places, names }) =>
        same(places, first.places) || (node.setop_by_name === true && same(names, first.names)),
    )
    return { ...(alike ? first : { names: undefined, places: undefined }), pinned }
  }

  #select(node: Node, common: Common, outer: EntityScope | undefined): Rows {
    const where = conjuncts(asNode(node.where_clause))
    const scope = this.#from(asNode(node.from_table), common, where, outer)
    const items = nodesIn(node.select_list)
    const expressions = [
      ...items,
      ...nodesIn(node.group_expressions),
      ...[node.where_clause, node.having, node.qualify].flatMap((each) => nodesIn([each])),
      ...nodesIn(node.modifiers),
    ]
    const isKeyed = scope.tables.length > 0
    const pinned = isKeyed && outer !== undefined && this.#isPinned(where, scope, outer)
    for (const each of expressions) this.#expression(each, { common, scope, outer, free: isKeyed && !pinned })
    if (!isKeyed) return WHOLE
    if (!pinned) this.#refuseGroups(node, items, scope)
    this.#refuseLimit(node, pinned)
    for (const modifier of nodesIn(node.modifiers)) {
      const targets = nodesIn(modifier.distinct_on_targets)
      if (targets.length > 0 && !pinned && !this.#hasAll(targets, scope))
        throw new Mixed(
          targets[0] ?? node,
          `keeps one row of several entities by DISTINCT ON: add ${this.#words} to it`,
        )
    }
    return { ...this.#shown(items, scope), pinned }
  }

  #refuseLimit(node: Node, pinned: boolean): void {
    const limit = nodesIn(node.modifiers).find(({ type }) => String(type).startsWith('LIMIT'))
    if (limit !== undefined && !pinned)
      throw new Mixed(
        limit,
        `keeps some rows of all entities by LIMIT: number the rows of each entity, as in QUALIFY row_number() OVER (PARTITION BY ${this.#words} ORDER BY ...) <= 3`,
      )
  }

  #refuseGroups(node: Node, items: Node[], scope: EntityScope): void {
    const groups = nodesIn(node.group_expressions)
    const sets = Array.isArray(node.group_sets) ? node.group_sets.length : 0
    const byAll = node.aggregate_handling === 'FORCE_AGGREGATES'
    if (groups.length === 0 && !byAll) {
      const aggregate = items.map(aggregateIn).find((each) => each !== undefined)
      if (aggregate !== undefined || node.having != null)
        throw new Mixed(aggregate ?? node, `aggregates over all entities: add GROUP BY ${this.#words}`)
      return
    }
    if (sets > 1)
      throw new Mixed(
        node,
        `groups by several sets of columns, some without the entity: group by ${this.#words} once`,
      )
    const keys = byAll
      ? items
      : groups.map((group) => (entityIndex(group, scope) === undefined ? behind(group, items) : group))
    const byStar = byAll && items.some((item) => item.class === 'STAR')
    if (!byStar && !this.#hasAll(keys, scope))
      throw new Mixed(
        groups[0] ?? node,
        `groups by columns without the entity: add ${this.#words} to GROUP BY`,
      )
  }

  /** The entity's columns are all among these expressions. */
  #hasAll(nodes: Node[], scope: EntityScope): boolean {
    const found = new Set(nodes.map((node) => entityIndex(node, scope)))
    return this.#entity.every((_, index) => found.has(index))
  }

  #isPinned(where: Node[], scope: EntityScope, outer: EntityScope): boolean {
    const own = equated(
      where,
      (each) => entityIndex(each, scope),
      (each) => outerIndex(each, scope, outer),
    )
    return own.size === this.#entity.length
  }

  /** Under which names, and at which places, a SELECT shows the entity. */
  #shown(items: Node[], scope: EntityScope): Pick<Keyed, 'names' | 'places'> {
    const none = { names: undefined, places: undefined }
    const names: string[] = []
    const places: number[] = []
    for (const index of this.#entity.keys()) {
      const place = items.findIndex((item) => this.#shows(item, index, scope) !== undefined)
      const name = items[place] && this.#shows(items[place], index, scope)
      if (name === undefined) return none
      // The first column of a name is the one that is meant by it.
      const hides = (item: Node) =>
        item.class === 'STAR' ? !isStarOf(item, scope) : outputName(item) === name
      if (items.slice(0, place).some(hides)) return none
      names.push(name)
      if (!items.slice(0, place + 1).some((item) => item.class === 'STAR')) places.push(place)
    }
    return { names, places: places.length === names.length ? places : undefined }
  }

  #shows(item: Node, index: number, scope: EntityScope): string | undefined {
    if (item.class !== 'STAR') return entityIndex(item, scope) === index ? outputName(item) : undefined
    if (!isStarOf(item, scope)) return undefined
    const table = String(item.relation_name ?? '').toLowerCase()
    const named = scope.tables.find(({ alias, nullable }) => !nullable && (table === '' || alias === table))
    return named?.names?.[index]
  }

  /** `free`: rows of several entities are there, which windows may mix. */
  #expression(
    node: Node,
    within: { common: Common; scope: EntityScope; outer: EntityScope | undefined; free: boolean },
  ): void {
    const { common, scope, free } = within
    if (node.class === 'SUBQUERY') {
      const body = asNode(asNode(node.subquery)?.node)
      const rows = body === undefined ? WHOLE : this.query(body, common, around(scope, within.outer))
      const isValue = node.subquery_type === 'SCALAR' || String(node.subquery_type).endsWith('EXISTS')
      if (rows !== WHOLE && !(isValue && rows.pinned))
        throw new Mixed(
          node,
          isValue
            ? `reads rows of all entities in a subquery: compare ${this.#words} with that of the row around it, as in WHERE c.${this.#entity[0]} = t.${this.#entity[0]}`
            : `compares with rows of all entities, by IN or the like: write EXISTS, or a SEMI JOIN USING (${this.#words})`,
        )
      for (const child of childrenOf({ child: node.child })) this.#expression(child, within)
      return
    }
    if (node.class === 'WINDOW' && free && !this.#hasAll(nodesIn(node.partitions), scope))
      throw new Mixed(node, `has a window over rows of several entities: write PARTITION BY ${this.#words}`)
    for (const child of childrenOf(node)) this.#expression(child, within)
  }

  #from(node: Node | undefined, common: Common, where: Node[], outer: EntityScope | undefined): EntityScope {
    if (node === undefined || node.type === 'EMPTY') return NO_TABLE
    const alias = String(node.alias || node.table_name || '').toLowerCase()
    const named = (rows: Rows): EntityScope => {
      const names = rows === WHOLE ? undefined : renamed(rows, textsIn(node.column_name_alias))
      const tables =
        names === undefined || names === WHOLE || names.pinned
          ? []
          : [{ alias, names: names.names, nullable: false }]
      return { tables, aliases: [alias], merged: new Map(), startsKeyed: tables.length > 0 }
    }
    switch (node.type) {
      case 'BASE_TABLE': {
        const name = String(node.table_name).toLowerCase()
        const own: Rows = this.#bucketed.has(name)
          ? { names: this.#entity, places: undefined, pinned: false }
          : WHOLE
        return named(common.get(name) ?? own)
      }
      case 'SUBQUERY': {
        const body = asNode(asNode(node.subquery)?.node)
        return named(body === undefined ? WHOLE : this.query(body, common, outer))
      }
      case 'JOIN':
        return this.#join(node, common, where, outer)
      default:
        for (const child of childrenOf(node))
          this.#expression(child, { common, scope: outer ?? NO_TABLE, outer, free: false })
        return named(WHOLE)
    }
  }

  #join(node: Node, common: Common, where: Node[], outer: EntityScope | undefined): EntityScope {
    const left = this.#from(asNode(node.left), common, where, outer)
    // A lateral subquery sees what stands before it.
    const right = this.#from(asNode(node.right), common, where, around(left, outer))
    const [hasLeft, hasRight] = [left.tables.length > 0, right.tables.length > 0]
    const on = asNode(node.condition)
    const both: EntityScope = {
      tables: [...left.tables, ...right.tables],
      aliases: [...left.aliases, ...right.aliases],
      merged: new Map([...left.merged, ...right.merged]),
      startsKeyed: left.startsKeyed,
    }
    if (on !== undefined) this.#expression(on, { common, scope: both, outer, free: false })
    if (!hasLeft && !hasRight) return both
    const kind = node.join_type === 'FULL' ? 'OUTER' : String(node.join_type)
    if (!JOINS.has(kind) || node.ref_type === 'POSITIONAL')
      throw new Mixed(
        node,
        `has a ${node.ref_type === 'POSITIONAL' ? 'POSITIONAL' : kind} JOIN, of which it cannot be seen that entities stay apart: write INNER or LEFT JOIN`,
      )
    if (hasLeft !== hasRight) {
      if (hasLeft ? kind === 'OUTER' : kind !== 'INNER')
        throw new Mixed(
          node,
          `keeps rows of a source without buckets that match none, which every shard would give: begin with ${[...this.#bucketed].join(' or ')} and write LEFT or INNER JOIN`,
        )
      return kind === 'SEMI' || kind === 'ANTI' ? left : both
    }
    const using = this.#using(node, left, right)
    const conditions = [...conjuncts(on), ...(kind === 'INNER' ? where : [])]
    const equal = equated(
      conditions,
      (each) => entityIndex(each, left),
      (each) => entityIndex(each, right),
    )
    if (this.#entity.some((_, index) => !equal.has(index) && ![...using.values()].includes(index)))
      throw new Mixed(
        node,
        `joins rows of different entities: join sources with buckets by ${this.#words}, as in ON a.${this.#entity[0]} = b.${this.#entity[0]}`,
      )
    if (kind === 'SEMI' || kind === 'ANTI') return left
    const nulls = (tables: KeyedTable[], isNull: boolean) =>
      tables.map((table) => (isNull ? { ...table, nullable: true } : table))
    const isFull = kind === 'OUTER'
    return {
      ...both,
      tables: [...nulls(left.tables, isFull), ...nulls(right.tables, isFull || kind === 'LEFT')],
      merged: new Map([...(isFull ? [] : left.merged), ...using]),
    }
  }

  /** Columns of the entity that have one name on both sides and are compared by USING, or a NATURAL join. */
  #using(node: Node, left: EntityScope, right: EntityScope): Map<string, number> {
    const using = textsIn(node.using_columns).map((name) => name.toLowerCase())
    const found = new Map<string, number>()
    for (const index of this.#entity.keys()) {
      const own = (scope: EntityScope) =>
        new Set(scope.tables.flatMap(({ names, nullable }) => (nullable ? [] : (names?.[index] ?? []))))
      for (const name of own(left)) {
        if (own(right).has(name) && (using.includes(name) || node.ref_type === 'NATURAL'))
          found.set(name, index)
      }
    }
    return found
  }

  #mentions(node: Node, common: Common): boolean {
    const name = node.type === 'BASE_TABLE' ? String(node.table_name).toLowerCase() : undefined
    if (name !== undefined) return common.has(name) ? common.get(name) !== WHOLE : this.#bucketed.has(name)
    return childrenOf(node).some((child) => this.#mentions(child, common))
  }
}

/** Joins of which rows are known to stay with their entity; RIGHT leaves open which side an unqualified name means. */
const JOINS = new Set(['INNER', 'LEFT', 'OUTER', 'SEMI', 'ANTI'])

/** Columns that get other names by their place. */
function renamed(rows: Rows, aliases: string[]): Rows {
  if (rows === WHOLE || aliases.length === 0) return rows
  const names = rows.places?.map((place) => aliases[place]?.toLowerCase())
  return { ...rows, names: names?.every((name) => name !== undefined) ? names : undefined }
}

function same(a: unknown[] | undefined, b: unknown[] | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b)
}

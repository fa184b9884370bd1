import { didYouMean } from '../project/nearest.ts'
import type { Problem } from '../project/problem.ts'
import {
  BARE_NAMES,
  type FunctionRules,
  functionRules,
  ORDERED,
  RANKING,
  TIED,
  TIED_WINDOWS,
  UNORDERABLE,
} from './determinism.ts'
import type { Engine } from './duckdb.ts'
import { SqlProblems } from './sql-problems.ts'
import { asNode, childrenOf, type Node, nodesIn, offsetIn, type Parsed, parseSql, textsIn } from './syntax.ts'

export interface SqlOptions {
  /** Named in problems: the file's path relative to the project's root. */
  file: string
  declaredSources: string[]
  /** What those are to whoever writes the SQL. Default: sources that view.yaml declares. */
  reads?: 'sources' | 'tables of a night'
  /** Columns of the sources, where they are known: a column may be called `user`, which is else a function. */
  columns?: string[]
  /** Default: `as_of`. Labels have `label_end` too. */
  parameters?: string[]
}

export interface CheckedSql {
  problems: Problem[]
  /** Sha256 of the parsed SQL, hex; empty where it cannot be parsed. */
  hash: string
  /** Declared sources that the SQL reads, under their declared names. */
  tables: string[]
  /** Names of all columns that it may read, in lower case; undefined: any (`SELECT *` of a source). */
  names: Set<string> | undefined
  /** Parameters that it uses, to be bound. */
  parameters: string[]
  /** DuckDB's tree of the one SELECT. */
  tree: Node | undefined
}

/**
 * Checks that SQL is one SELECT that reads its declared sources, cannot look elsewhere, and gives the same rows
 * whenever it runs. Names and types of columns are the binder's to check (see describe.ts). Throws nothing.
 */
export async function checkFeatureSql(engine: Engine, sql: string, options: SqlOptions): Promise<CheckedSql> {
  const parsed = await parseSql(engine, sql)
  const check = new Check(sql, options, await functionRules(engine))
  const [statement] = parsed.ok ? parsed.statements : []
  const tree = statement === undefined ? undefined : asNode(statement.node)
  if (!parsed.ok || parsed.statements.length !== 1 || tree === undefined) {
    check.refuseStatements(parsed)
  } else {
    check.visit(tree, new Set())
  }
  return {
    problems: check.problems.sort(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    ),
    hash: parsed.ok ? parsed.hash : '',
    tables: [...check.tables].sort(),
    names: check.readsAll ? undefined : check.names,
    parameters: [...check.parameters],
    tree,
  }
}

const STATEMENT = new Set(['select', 'with', 'from', 'values', '('])
const ORDER_MODIFIER = 'ORDER_MODIFIER'

class Check {
  readonly tables = new Set<string>()
  readonly names = new Set<string>()
  readonly parameters = new Set<string>()
  readsAll = false
  readonly #options: SqlOptions
  readonly #rules: FunctionRules
  readonly #at: SqlProblems
  readonly #columns: Set<string>

  constructor(sql: string, options: SqlOptions, rules: FunctionRules) {
    this.#options = options
    this.#rules = rules
    this.#at = new SqlProblems(sql, options.file)
    this.#columns = new Set(options.columns?.map((name) => name.toLowerCase()))
  }

  get problems(): Problem[] {
    return this.#at.problems
  }

  /** No SELECT, several statements, or no SQL at all. */
  refuseStatements(parsed: Parsed): void {
    const starts = this.#at.tokens.filter((_, index, all) => index === 0 || all[index - 1]?.text === ';')
    const other = starts.find(({ text }) => text !== ';' && !STATEMENT.has(text.toLowerCase()))
    const [first, second] = starts.filter(({ text }) => text !== ';')
    if (first === undefined) this.#at.sayPlace('error', undefined, 'expected one SELECT, got: nothing')
    else if (second !== undefined)
      this.#at.sayAt(
        second.start,
        `expected one SELECT, got: a second statement (${second.text.toUpperCase()} ...): remove it`,
      )
    else if (!parsed.ok && parsed.place !== undefined)
      this.#at.sayPlace('error', parsed.place, parsed.message)
    else if (other !== undefined)
      this.#at.sayAt(other.start, `expected one SELECT, got: ${other.text.toUpperCase()}`)
    else if (!parsed.ok) {
      const pivot = this.#at.word('pivot') ?? this.#at.word('unpivot')
      if (pivot === undefined) this.#at.sayPlace('error', undefined, parsed.message)
      else
        this.#at.sayAt(
          pivot.start,
          'PIVOT is refused, since DuckDB cannot show what it becomes: write aggregates with FILTER',
        )
    }
  }

  /** `scope`: names of the CTEs that can be seen here, in lower case. */
  visit(node: Node, scope: ReadonlySet<string>): void {
    const inner = this.#commonTables(node, scope)
    this.#modifiers(node)
    if (node.sample != null)
      this.#at.sayWord(
        ['tablesample', 'sample'],
        'TABLESAMPLE differs from run to run: for a stable sample filter by hash() of the entity',
      )
    if (this.#visitTable(node, inner) || this.#visitExpression(node)) return
    if (node.type === 'SELECT_NODE' && this.#selectsAll(node, inner)) this.readsAll = true
    for (const [field, value] of Object.entries(node)) {
      if (field === 'cte_map') continue
      for (const child of childrenOf({ [field]: value })) this.visit(child, inner)
    }
  }

  /** A CTE sees those before it, and itself where it is recursive. */
  #commonTables(node: Node, scope: ReadonlySet<string>): ReadonlySet<string> {
    const inner = new Set(scope)
    for (const entry of nodesIn(asNode(node.cte_map)?.map)) {
      const name = String(entry.key).toLowerCase()
      const body = asNode(asNode(asNode(entry.value)?.query)?.node)
      if (body !== undefined)
        this.visit(body, body.type === 'RECURSIVE_CTE_NODE' ? new Set([...inner, name]) : inner)
      inner.add(name)
    }
    return inner
  }

  #modifiers(node: Node): void {
    const modifiers = nodesIn(node.modifiers)
    const ordered = modifiers.some(
      ({ type, orders }) => type === ORDER_MODIFIER && nodesIn(orders).length > 0,
    )
    for (const modifier of modifiers) {
      if (modifier.type === 'DISTINCT_MODIFIER' && nodesIn(modifier.distinct_on_targets).length > 0) {
        const at = this.#at.tokenBefore('distinct', offsetIn(modifier))
        if (ordered)
          this.#at.sayToken(
            'advice',
            at,
            'DISTINCT ON takes whichever row comes first of those that ORDER BY leaves equal: order by enough columns to leave none',
          )
        else this.#at.sayToken('error', at, 'DISTINCT ON depends on the order of rows: add ORDER BY')
      }
      if (modifier.type === 'LIMIT_MODIFIER' || modifier.type === 'LIMIT_PERCENT_MODIFIER') {
        const at = this.#at.tokenBefore('limit', offsetIn(modifier)) ?? this.#at.word('limit')
        if (ordered)
          this.#at.sayToken(
            'advice',
            at,
            'LIMIT cuts through rows that ORDER BY leaves equal, and runs may differ: order by enough columns to leave none',
          )
        else this.#at.sayToken('error', at, 'LIMIT depends on the order of rows: add ORDER BY')
      }
    }
  }

  #words(): { one: string; many: string; file: string } {
    return this.#options.reads === 'tables of a night'
      ? {
          one: 'a table of the night',
          many: 'the tables of the night',
          file: `files are not read; legal are: ${this.#legal()}`,
        }
      : {
          one: 'a declared source',
          many: 'the declared sources',
          file: 'files are not read directly: declare them in view.yaml under sources',
        }
  }

  /** True where the node is a table that is not to be looked into. */
  #visitTable(node: Node, scope: ReadonlySet<string>): boolean {
    switch (node.type) {
      case 'BASE_TABLE':
        this.#baseTable(node, scope)
        return true
      case 'TABLE_FUNCTION': {
        const name = String(asNode(node.function)?.function_name)
        this.#at.sayNode(
          'error',
          node,
          name,
          `table functions are refused, got: ${name}(...); legal are ${this.#words().many}: ${this.#legal()}`,
        )
        return true
      }
      case 'SHOW_REF':
        this.#at.sayWord(
          ['describe', 'desc', 'show', 'summarize'],
          'DESCRIBE, SHOW and SUMMARIZE are refused: features are a plain SELECT',
        )
        return true
      case 'JOIN':
        if (node.ref_type === 'POSITIONAL')
          this.#at.sayWord(['positional'], 'POSITIONAL JOIN depends on the order of rows: join by a key')
        if (node.ref_type === 'NATURAL') this.readsAll = true
        for (const name of textsIn(node.using_columns)) this.names.add(name.toLowerCase())
        return false
      default:
        return false
    }
  }

  #baseTable(node: Node, scope: ReadonlySet<string>): void {
    const name = String(node.table_name)
    const qualifier = [node.catalog_name, node.schema_name]
      .filter((part) => part != null && part !== '')
      .map(String)
    if (qualifier.length > 0) {
      const full = [...qualifier, name].join('.')
      this.#at.sayNode(
        'error',
        node,
        name,
        `expected the name of ${this.#words().one}, got: ${full}; legal are: ${this.#legal()}`,
      )
      return
    }
    if (scope.has(name.toLowerCase())) return
    const source = this.#options.declaredSources.find((each) => each.toLowerCase() === name.toLowerCase())
    if (source !== undefined) {
      this.tables.add(source)
      return
    }
    const file = /[./\\:*]/.test(name)
    const what = file ? this.#words().file : `legal are: ${this.#legal()}`
    this.#at.sayNode(
      'error',
      node,
      name,
      `expected the name of ${this.#words().one}, got: ${name}; ${what}${didYouMean(name, [...this.#options.declaredSources, ...scope])}`,
    )
  }

  /** True where the node needs no look inside. */
  #visitExpression(node: Node): boolean {
    switch (node.class) {
      case 'FUNCTION':
        this.#function(node)
        return false
      case 'WINDOW':
        this.#window(node)
        return false
      case 'COLUMN_REF':
        this.#column(node)
        return true
      case 'PARAMETER':
        this.#parameter(String(node.identifier))
        return true
      default:
        return false
    }
  }

  #function(node: Node): void {
    const name = String(node.function_name).toLowerCase()
    const reason =
      this.#rules.refusal(name) ??
      (name === 'age' && nodesIn(node.children).length === 1
        ? 'with one argument depends on when it runs: age($as_of, x)'
        : undefined)
    if (reason !== undefined) this.#at.sayNode('error', node, name, `${name}() ${reason}`)
    else if (UNORDERABLE.has(name))
      this.#at.sayNode(
        'error',
        node,
        name,
        `${name}() depends on the order of rows: use to_json(list(x ORDER BY y))`,
      )
    const ordered = nodesIn(asNode(node.order_bys)?.orders).length > 0
    if (ORDERED.has(name) && !ordered) {
      this.#at.sayNode(
        'error',
        node,
        name,
        `${name}() depends on the order of rows: add ORDER BY, as in ${name}(x ORDER BY y)`,
      )
    }
    // A row or struct to compare by is the tie-breaker that the advice asks for.
    if (
      TIED.has(name) &&
      !['row', 'struct_pack'].includes(String(nodesIn(node.children)[1]?.function_name))
    ) {
      this.#at.sayNode(
        'advice',
        node,
        name,
        `${name}() takes whichever row comes first of those that tie, and runs may differ: compare by enough columns to leave none, as in ${name}(x, (y, id))`,
      )
    }
  }

  #window(node: Node): void {
    const name = String(node.function_name).toLowerCase()
    const reason = this.#rules.refusal(name)
    if (reason !== undefined) this.#at.sayNode('error', node, name, `${name}() ${reason}`)
    const ordered = nodesIn(node.orders).length + nodesIn(node.arg_orders).length > 0
    const framed = [node.start, node.end].some((bound) => /_ROWS$|_GROUPS$/.test(String(bound)))
    if (!ordered && (RANKING.has(name) || ORDERED.has(name) || framed)) {
      this.#at.sayNode(
        'error',
        node,
        name,
        `${name}() OVER without ORDER BY depends on the order of rows: add ORDER BY`,
      )
    } else if (TIED_WINDOWS.has(name)) {
      this.#at.sayNode(
        'advice',
        node,
        name,
        `${name}() numbers rows that tie as they come, and runs may differ: order by enough columns to leave none`,
      )
    }
  }

  #column(node: Node): void {
    const path = textsIn(node.column_names).map((name) => name.toLowerCase())
    for (const name of path) this.names.add(name)
    const [name] = path
    if (name === undefined || path.length > 1) return
    if (
      this.#options.declaredSources.some((source) => source.toLowerCase() === name) ||
      this.#aliases().has(name)
    )
      this.readsAll = true
    const reason = this.#rules.refusal(name)
    if (reason !== undefined && BARE_NAMES.has(name) && !this.#columns.has(name))
      this.#at.sayNode('error', node, name, `${name} ${reason}`)
  }

  /** Words after a source's name or after AS may be aliases of whole rows: `SELECT c FROM calls c`. */
  #aliases(): Set<string> {
    const sources = new Set(this.#options.declaredSources.map((source) => source.toLowerCase()))
    const found = new Set<string>()
    this.#at.tokens.forEach(({ text }, index) => {
      if (!sources.has(text.toLowerCase().replaceAll('"', ''))) return
      const next = this.#at.tokens[index + 1]?.text.toLowerCase()
      const alias = next === 'as' ? this.#at.tokens[index + 2]?.text : next
      if (alias !== undefined) found.add(alias.toLowerCase().replaceAll('"', ''))
    })
    return found
  }

  #parameter(name: string): void {
    const legal = this.#options.parameters ?? ['as_of']
    if (legal.includes(name)) {
      this.parameters.add(name)
      return
    }
    const token = this.#at.tokens.find(
      ({ kind, text }) => kind === 'parameter' && (text === `$${name}` || text === '?'),
    )
    const written = token?.text ?? `$${name}`
    this.#at.sayToken(
      'error',
      token,
      `expected a parameter of ${legal.map((each) => `$${each}`).join(', ')}, got: ${written}${didYouMean(name, legal).replace('mean ', 'mean $')}`,
    )
  }

  /** A star over a source, in this SELECT itself. */
  #selectsAll(node: Node, scope: ReadonlySet<string>): boolean {
    const hasStar = (each: Node): boolean =>
      each.class === 'STAR' || (each.type !== 'SELECT_NODE' && childrenOf(each).some(hasStar))
    const hasSource = (table: Node): boolean => {
      if (table.type === 'BASE_TABLE') return !scope.has(String(table.table_name).toLowerCase())
      return table.type === 'JOIN' && [table.left, table.right].some((side) => hasSource(asNode(side) ?? {}))
    }
    const { from_table: from, cte_map: _common, ...rest } = node
    return childrenOf(rest).some(hasStar) && hasSource(asNode(from) ?? {})
  }

  #legal(): string {
    return this.#options.declaredSources.join(', ') || 'none'
  }
}

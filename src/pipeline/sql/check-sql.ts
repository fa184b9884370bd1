import { didYouMean } from '../../project/files/nearest.ts'
import type { Problem } from '../../project/files/problem.ts'
import type { Engine } from '../engine/duckdb.ts'
import { checkCall, checkCollation, checkJoin, checkModifiers, checkWindow } from './call-rules.ts'
import { LIST_SORTS, LISTS } from './determinism.ts'
import { BARE_CLOCKS, BARE_SESSION, isTableFunction, refusalOf } from './legal-functions.ts'
import { SqlProblems } from './sql-problems.ts'
import { asNode, childrenOf, type Node, nodesIn, type Parsed, parseSql, textsIn } from './syntax.ts'

export interface SqlOptions {
  /** Named in problems: the file's path relative to the project's root. */
  file: string
  declaredSources: string[]
  /** What those are to whoever writes the SQL. Default: sources that view.yaml declares. */
  reads?: 'sources' | 'tables of a night' | 'files of a source'
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
 * whenever it runs. Names and types of columns are the binder's to check (see describe-view.ts). Throws nothing.
 */
export async function checkFeatureSql(engine: Engine, sql: string, options: SqlOptions): Promise<CheckedSql> {
  const parsed = await parseSql(engine, sql)
  const check = new Check(sql, options)
  const [statement] = parsed.ok ? parsed.statements : []
  const tree = statement === undefined ? undefined : asNode(statement.node)
  if (!parsed.ok || parsed.statements.length !== 1 || tree === undefined) {
    check.refuseStatements(parsed)
  } else {
    check.visit(tree, NOTHING)
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
/** Kinds of expressions and tables that are checked; all others are refused. */
const EXPRESSIONS = new Set([
  ...['BETWEEN', 'CASE', 'CAST', 'COLLATE', 'COLUMN_REF', 'COMPARISON', 'CONJUNCTION', 'CONSTANT', 'DEFAULT'],
  ...[
    'FUNCTION',
    'LAMBDA',
    'LAMBDA_REF',
    'OPERATOR',
    'PARAMETER',
    'POSITIONAL_REFERENCE',
    'STAR',
    'SUBQUERY',
  ],
  ...['WINDOW'],
])
const TABLES = new Set([
  ...['BASE_TABLE', 'EMPTY', 'EXPRESSION_LIST', 'JOIN', 'SHOW_REF', 'SUBQUERY', 'TABLE_FUNCTION'],
])
/** Names that DuckDB could take for a file or an address, were they not in scope. */
const LIKE_A_FILE =
  /[/\\:*?[\]]|\.(?:parquet|pq|csv|tsv|txt|jsonl?|ndjson|geojson|db|duckdb|ddb|sqlite3?|xlsx?|arrows?|feather|ipc|avro|orc|lance|vortex|shp|gpkg|gz|zst|bz2|lz4|snappy)$/i

/** Names of common tables that can be seen, in lower case; `recurring` of those in whose recursive part we are. */
interface Scope {
  tables: ReadonlySet<string>
  recurring: ReadonlySet<string>
}
const NOTHING: Scope = { tables: new Set(), recurring: new Set() }

class Check {
  readonly tables = new Set<string>()
  readonly names = new Set<string>()
  readonly parameters = new Set<string>()
  readsAll = false
  readonly #options: SqlOptions
  readonly #at: SqlProblems
  readonly #columns: Set<string>
  readonly #aliases: Set<string>

  constructor(sql: string, options: SqlOptions) {
    this.#options = options
    this.#at = new SqlProblems(sql, options.file)
    this.#columns = new Set(options.columns?.map((name) => name.toLowerCase()))
    this.#aliases = this.#findAliases()
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

  /** `sorted`: the node is the argument of a sort, which makes its own order of no matter. */
  visit(node: Node, scope: Scope, sorted = false): void {
    const inner = this.#commonTables(node, scope)
    checkModifiers(node, this.#at)
    if (node.sample != null)
      this.#at.sayWord(
        ['tablesample', 'sample'],
        'TABLESAMPLE differs from run to run: for a stable sample filter by hash() of the entity',
      )
    if (this.#visitTable(node, inner) || this.#visitExpression(node, sorted)) return
    if (node.type === 'SELECT_NODE' && this.#selectsAll(node, inner)) this.readsAll = true
    const sorts = node.class === 'FUNCTION' && LIST_SORTS.has(nameOf(node))
    for (const [field, value] of Object.entries(node)) {
      if (field === 'cte_map') continue
      childrenOf({ [field]: value }).forEach((child, index) => {
        const list = sorts && field === 'children' && index === 0 && LISTS.has(nameOf(child))
        const recursive = node.type === 'RECURSIVE_CTE_NODE' && field === 'right'
        this.visit(child, recursive ? withRecurring(inner, String(node.cte_name)) : inner, list)
      })
    }
  }

  /** A CTE sees those before it. A recursive one sees itself in its recursive part alone, as DuckDB binds it. */
  #commonTables(node: Node, scope: Scope): Scope {
    const tables = new Set(scope.tables)
    const inner = { ...scope, tables }
    for (const entry of nodesIn(asNode(node.cte_map)?.map)) {
      const body = asNode(asNode(asNode(entry.value)?.query)?.node)
      if (body !== undefined) this.visit(body, { ...inner, tables: new Set(tables) })
      this.#refuseFileName(String(entry.key), body)
      tables.add(String(entry.key).toLowerCase())
    }
    return inner
  }

  #refuseFileName(name: string, node: Node | undefined): void {
    if (!LIKE_A_FILE.test(name)) return
    this.#at.sayToken(
      'error',
      this.#at.tokens.find(({ text }) => text.replaceAll('"', '') === name),
      `${name} could be taken for a file: name tables and their aliases with letters, digits and underscores${node === undefined ? '' : ', as in WITH recent AS (...)'}`,
    )
  }

  #words(): { one: string; many: string; file: string } {
    if (this.#options.reads === 'files of a source')
      return {
        one: 'raw, the rows of a file',
        many: 'raw, the rows of a file',
        file: 'select reads the files of its source alone, as the table raw',
      }
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
  #visitTable(node: Node, scope: Scope): boolean {
    if (node.class === undefined && TABLES.has(String(node.type)) && typeof node.alias === 'string')
      this.#refuseFileName(node.alias, undefined)
    switch (node.type) {
      case 'BASE_TABLE':
        this.#baseTable(node, scope)
        return true
      case 'TABLE_FUNCTION': {
        const call = asNode(node.function) ?? {}
        const name = String(call.function_name)
        if (isTableFunction(name.toLowerCase()))
          for (const child of childrenOf(call)) this.visit(child, scope)
        else
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
        checkJoin(node, this.#at)
        if (node.ref_type === 'NATURAL') this.readsAll = true
        for (const name of textsIn(node.using_columns)) this.names.add(name.toLowerCase())
        return false
      case 'PIVOT':
      case 'DELIM_GET':
      case 'COLUMN_DATA':
      case 'BOUND_TABLE_REF':
        this.#at.sayNode('error', node, '', `expected a table, got: ${String(node.type).toLowerCase()}`)
        return true
      default:
        return false
    }
  }

  #baseTable(node: Node, scope: Scope): void {
    const name = String(node.table_name)
    if (node.at_clause != null)
      this.#at.sayNode('error', node, name, 'AT (...) is refused: sources are cut at $as_of')
    if (node.schema_name === 'recurring' && scope.recurring.has(name.toLowerCase())) return
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
    if (scope.tables.has(name.toLowerCase())) return
    const source = this.#options.declaredSources.find((each) => each.toLowerCase() === name.toLowerCase())
    if (source !== undefined) {
      this.tables.add(source)
      // Columns that get other names by their place are counted over all that there are.
      if (textsIn(node.column_name_alias).length > 0) this.readsAll = true
      return
    }
    const file = /[./\\:*]/.test(name)
    const what = file ? this.#words().file : `legal are: ${this.#legal()}`
    this.#at.sayNode(
      'error',
      node,
      name,
      `expected the name of ${this.#words().one}, got: ${name}; ${what}${didYouMean(name, [...this.#options.declaredSources, ...scope.tables])}`,
    )
  }

  /** True where the node needs no look inside. */
  #visitExpression(node: Node, sorted: boolean): boolean {
    switch (node.class) {
      case 'FUNCTION':
        checkCall(node, this.#at, sorted)
        // `x.upper()` has its column where a schema's name stands.
        for (const name of [node.catalog, node.schema])
          if (typeof name === 'string' && name !== '') this.names.add(name.toLowerCase())
        return false
      case 'WINDOW':
        checkWindow(node, this.#at)
        return false
      case 'COLLATE':
        checkCollation(node, this.#at)
        return false
      case 'COLUMN_REF':
        this.#column(node)
        return true
      case 'PARAMETER':
        this.#parameter(String(node.identifier))
        return true
      case 'POSITIONAL_REFERENCE':
        this.readsAll = true
        return true
      default:
        if (typeof node.class === 'string' && !EXPRESSIONS.has(node.class))
          this.#at.sayNode(
            'error',
            node,
            '',
            `expected an expression of SELECT, got: ${node.class.toLowerCase()}`,
          )
        return false
    }
  }

  #column(node: Node): void {
    const path = textsIn(node.column_names).map((name) => name.toLowerCase())
    for (const name of path) this.names.add(name)
    const [name] = path
    if (name === undefined || path.length > 1) return
    if (
      this.#options.declaredSources.some((source) => source.toLowerCase() === name) ||
      this.#aliases.has(name)
    )
      this.readsAll = true
    if (BARE_CLOCKS.has(name)) {
      const column = this.#columns.has(name) ? `; for the column write its table, as in t.${name}` : ''
      this.#at.sayNode('error', node, name, `${name} ${refusalOf(name)}${column}`)
    } else if (BARE_SESSION.has(name) && !this.#columns.has(name))
      this.#at.sayNode('error', node, name, `${name} ${refusalOf(name)}`)
  }

  /** Words after a source's name or after AS may be aliases of whole rows: `SELECT c FROM calls c`. */
  #findAliases(): Set<string> {
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
  #selectsAll(node: Node, scope: Scope): boolean {
    const hasStar = (each: Node): boolean =>
      each.class === 'STAR' || (each.type !== 'SELECT_NODE' && childrenOf(each).some(hasStar))
    const hasSource = (table: Node): boolean => {
      if (table.type === 'BASE_TABLE') return !scope.tables.has(String(table.table_name).toLowerCase())
      return table.type === 'JOIN' && [table.left, table.right].some((side) => hasSource(asNode(side) ?? {}))
    }
    const { from_table: from, cte_map: _common, ...rest } = node
    return childrenOf(rest).some(hasStar) && hasSource(asNode(from) ?? {})
  }

  #legal(): string {
    return this.#options.declaredSources.join(', ') || 'none'
  }
}

function nameOf(node: Node): string {
  return String(node.function_name).toLowerCase()
}

function withRecurring({ tables, recurring }: Scope, name: string): Scope {
  const own = name.toLowerCase()
  return { tables: new Set([...tables, own]), recurring: new Set([...recurring, own]) }
}

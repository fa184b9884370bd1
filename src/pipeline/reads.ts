import type { Engine } from './duckdb.ts'
import type { Column } from './facts.ts'
import { identifier, literal } from './quote.ts'
import { asNode, type Node, nodesIn } from './syntax.ts'
import { tokenize } from './tokens.ts'

/** A table that SQL may read, with all of its columns as the SQL sees them. */
export interface ReadableTable {
  name: string
  columns: Column[]
}

/**
 * Exactly which columns of each table checked SQL reads, in lower case: names alone do not tell, since an alias or
 * another table's column may have the same. DuckDB binds the SQL to empty tables, and its plan lists what they are
 * asked for (some ms). Undefined where it cannot: whatever has the name may be read then.
 */
export async function columnsRead(
  engine: Engine,
  sql: string,
  parameters: Record<string, string>,
  tables: ReadableTable[],
): Promise<Map<string, Set<string>> | undefined> {
  try {
    for (const { name, columns } of tables) {
      const list = columns.map((column) => `${identifier(column.name)} ${column.type}`)
      await engine.run(`CREATE OR REPLACE TEMP TABLE ${identifier(name)} (${list.join(', ')})`)
    }
    const { plan } = await engine.row(
      'SELECT json_serialize_plan($sql::VARCHAR, optimize := false)::VARCHAR AS plan',
      {
        sql: withValues(sql, parameters),
      },
    )
    const root = asNode(JSON.parse(String(plan)))
    if (root?.error !== false) return undefined
    const read = new Map(tables.map(({ name }) => [name.toLowerCase(), new Set<string>()]))
    collect(root, read)
    return read
  } catch {
    return undefined
  } finally {
    for (const { name } of tables)
      await engine.run(`DROP TABLE IF EXISTS ${identifier(name)}`).catch(() => {})
  }
}

/** Every scan of the plan names its table, that table's columns, and the places of those that it needs. */
function collect(node: unknown, read: Map<string, Set<string>>): void {
  if (Array.isArray(node)) {
    for (const each of node) collect(each, read)
    return
  }
  const here = asNode(node)
  if (here === undefined) return
  if (here.type === 'LOGICAL_GET') {
    const columns = read.get(String(asNode(here.function_data)?.table).toLowerCase())
    for (const index of indexesOf(here)) {
      const name = Array.isArray(here.names) ? here.names[index] : undefined
      // A count of rows asks for no column: its index lies beyond them all.
      if (typeof name === 'string') columns?.add(name.toLowerCase())
    }
  }
  for (const value of Object.values(here)) collect(value, read)
}

function indexesOf(scan: Node): number[] {
  return nodesIn(scan.column_indexes).map(({ index }) => Number(index))
}

/** A plan is made of SQL alone, which has no values for its parameters. */
function withValues(sql: string, parameters: Record<string, string>): string {
  let text = ''
  let end = 0
  for (const token of tokenize(sql)) {
    const value = token.kind === 'parameter' ? parameters[token.text.slice(1).toLowerCase()] : undefined
    if (value === undefined) continue
    text += `${sql.slice(end, token.start)}TIMESTAMP ${literal(value)}`
    end = token.start + token.text.length
  }
  return text + sql.slice(end)
}

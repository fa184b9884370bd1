import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal } from '../engine/quote.ts'
import { type Node, readTree } from './syntax.ts'
import { indexOfByte, tokenize } from './tokens.ts'

/** A table that SQL may read, with all of its columns as the SQL sees them. */
export interface ReadableTable {
  name: string
  columns: Column[]
}

/** DuckDB's plan of SQL as it binds it, before anything is optimized: every expression has its type. */
export interface BoundPlan {
  root: Node
  /** The SQL that was bound: with values in the place of its parameters. */
  sql: string
  /** Where a byte of that SQL stands in the SQL as it was given. */
  indexOf(offset: number): number
}

/**
 * Binds checked SQL to empty tables that stand in for its sources (some ms), or without them to what the engine has.
 * Undefined where it does not bind, which the query itself will say. Throws a contract Failure where it does and its
 * plan cannot be read: SQL that cannot be checked is not run.
 */
export async function bindPlan(
  engine: Engine,
  sql: string,
  parameters: Record<string, string>,
  tables: ReadableTable[],
): Promise<BoundPlan | undefined> {
  const bound = withValues(sql, parameters)
  try {
    for (const { name, columns } of tables) {
      const list = columns.map((column) => `${identifier(column.name)} ${column.type}`)
      await engine.run(`CREATE OR REPLACE TEMP TABLE ${identifier(name)} (${list.join(', ')})`)
    }
    const root = await readPlan(engine, bound.sql)
    if (root !== undefined) return { root, ...bound }
    if (!(await binds(engine, bound.sql))) return undefined
  } finally {
    for (const { name } of tables)
      await engine.run(`DROP TABLE IF EXISTS ${identifier(name)}`).catch(() => {})
  }
  throw new Failure(
    'contract',
    'DuckDB cannot write down how it reads this SQL, so its types and tables cannot be checked: write it with simpler expressions',
  )
}

async function readPlan(engine: Engine, sql: string): Promise<Node | undefined> {
  try {
    const { plan } = await engine.row(
      'SELECT json_serialize_plan($sql::VARCHAR, optimize := false)::VARCHAR AS plan',
      { sql },
    )
    const root = readTree(String(plan))
    return root?.error === false ? root : undefined
  } catch {
    return undefined
  }
}

async function binds(engine: Engine, sql: string): Promise<boolean> {
  return engine.run(`EXPLAIN ${sql}`).then(
    () => true,
    () => false,
  )
}

/** A plan is made of SQL alone, which has no values for its parameters. */
function withValues(sql: string, parameters: Record<string, string>): Omit<BoundPlan, 'root'> {
  let text = ''
  let end = 0
  /** Behind each value by how much longer it is than its parameter. */
  const shifts: { after: number; by: number }[] = []
  for (const token of tokenize(sql)) {
    const value = token.kind === 'parameter' ? parameters[token.text.slice(1).toLowerCase()] : undefined
    if (value === undefined) continue
    text += `${sql.slice(end, token.start)}TIMESTAMP ${literal(value)}`
    end = token.start + token.text.length
    shifts.push({ after: text.length, by: text.length - end })
  }
  text += sql.slice(end)
  return {
    sql: text,
    indexOf(offset) {
      const index = indexOfByte(text, offset)
      return index - (shifts.filter(({ after }) => after <= index).at(-1)?.by ?? 0)
    },
  }
}

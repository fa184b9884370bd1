import { createHash } from 'node:crypto'
import type { Engine } from '../engine/duckdb.ts'
import { indexOfByte, type Place, placeOf } from './tokens.ts'

/** One node of DuckDB's tree, as `json_serialize_sql` gives it. */
export interface Node {
  readonly [field: string]: unknown
}

export type Parsed =
  | { ok: true; statements: Node[]; hash: string }
  | { ok: false; message: string; place: Place | undefined }

/** Positions and empty fields say nothing of what SQL means. */
const POSITION = /"query_location":\d+,?/g

/**
 * Parses SQL with DuckDB's own parser. `hash` (sha256, hex) is the identity of the tree: comments, spaces and the
 * case of keywords change nothing, a changed number or name does.
 */
export async function parseSql(engine: Engine, sql: string): Promise<Parsed> {
  const { tree } = await engine.row('SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR AS tree', { sql })
  const text = String(tree)
  const root = readTree(text)
  if (root?.error !== false) return fault(sql, root ?? {})
  const hash = createHash('sha256').update(text.replace(POSITION, '')).digest('hex')
  return { ok: true, statements: nodesIn(root.statements), hash }
}

/** A constant such as 1e400 is written as Infinity, which JSON does not have. */
const NO_NUMBER = /(?<=:)-?(?:Infinity|NaN)(?=[,}\]])/gi

/** What DuckDB's `json_serialize_sql` and `json_serialize_plan` write. */
export function readTree(text: string): Node | undefined {
  return asNode(JSON.parse(text.replace(NO_NUMBER, 'null')))
}

function fault(sql: string, root: Node): Parsed {
  const message = String(root.error_message ?? 'the SQL cannot be parsed')
  const offset = root.position === undefined ? Number.NaN : Number(root.position)
  return {
    ok: false,
    message,
    place: Number.isSafeInteger(offset) ? placeOf(sql, indexOfByte(sql, offset)) : undefined,
  }
}

export function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** Every object directly below a node, whichever field holds it. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  // A tree has thousands of nodes, and is walked several times for each query.
  for (const field in node) {
    const value = node[field]
    if (isNode(value)) children.push(value)
    else if (Array.isArray(value))
      // `values` of VALUES is a list of lists.
      for (const each of value) children.push(...nodesIn(Array.isArray(each) ? each : [each]))
  }
  return children
}

/** Byte offset of a node; undefined where DuckDB does not know it (2^64-1). */
export function offsetOf(node: Node): number | undefined {
  const offset = node.query_location
  return typeof offset === 'number' && offset < Number.MAX_SAFE_INTEGER ? offset : undefined
}

/** The first offset that DuckDB knows within a node. */
export function offsetIn(node: Node): number | undefined {
  for (const child of childrenOf(node)) {
    const offset = offsetOf(child) ?? offsetIn(child)
    if (offset !== undefined) return offset
  }
  return undefined
}

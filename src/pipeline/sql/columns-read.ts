import type { BoundPlan } from './bound-plan.ts'
import { asNode, type Node, nodesIn } from './syntax.ts'

/**
 * Exactly which columns of each table SQL reads, in lower case: names alone do not tell, since an alias or another
 * table's column may have the same. The plan lists what the tables are asked for.
 */
export function columnsRead({ root }: BoundPlan, tables: string[]): Map<string, Set<string>> {
  const read = new Map(tables.map((name) => [name.toLowerCase(), new Set<string>()]))
  collect(root, read)
  return read
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

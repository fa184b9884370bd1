import type { BoundPlan } from './bound-plan.ts'
import { isTableFunction } from './legal-functions.ts'
import { asNode, childrenOf, type Node, textsIn } from './syntax.ts'

/** Scan of the empty tables that stand in for the sources. */
const STAND_IN = 'seq_scan'

/**
 * What a plan reads other than its sources and table functions that read no file: the names of files where DuckDB lists
 * them, otherwise of functions. The sources are empty tables in the plan (`bindPlan`), or views of `files`.
 */
export function strangersIn({ root }: BoundPlan, files: ReadonlySet<string> = new Set()): string[] {
  return scansIn(root).flatMap((scan) => {
    const name = String(scan.name)
    if (name === STAND_IN || isTableFunction(name)) return []
    const read = textsIn(asNode(scan.function_data)?.files)
    return read.length === 0 ? [name] : read.filter((file) => !files.has(file))
  })
}

function scansIn(node: Node): Node[] {
  const own = node.type === 'LOGICAL_GET' ? [node] : []
  return [...own, ...childrenOf(node).flatMap(scansIn)]
}

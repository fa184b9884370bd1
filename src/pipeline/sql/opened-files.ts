import type { BoundPlan } from './bound-plan.ts'
import { isTableFunction } from './legal-functions.ts'
import { asNode, childrenOf, type Node, textsIn } from './syntax.ts'

const PARQUET = new Set(['read_parquet', 'parquet_scan'])

/**
 * What a plan over the cut sources reads beside these files, as DuckDB names it: another file, or what is neither a
 * Parquet file nor a function that reads none. DuckDB lists the files of every scan under the names that were opened.
 */
export function strangersIn({ root }: BoundPlan, files: ReadonlySet<string>): string[] {
  return scansIn(root).flatMap((scan) => {
    const name = String(scan.name)
    if (!PARQUET.has(name)) return isTableFunction(name) ? [] : [name]
    const read = textsIn(asNode(scan.function_data)?.files)
    return read.length === 0 ? [name] : read.filter((file) => !files.has(file))
  })
}

function scansIn(node: Node): Node[] {
  const own = node.type === 'LOGICAL_GET' ? [node] : []
  return [...own, ...childrenOf(node).flatMap(scansIn)]
}

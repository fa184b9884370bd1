import type { View } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { Leak } from './leak.ts'

/**
 * What a view's declaration alone says against it: sources without time. No recomputation can find what they give
 * away, since both sides would read the same rows, so that a view with one is never proven at parity.
 */
export function leakRisks(view: Pick<View, 'name' | 'sources'>): Leak[] {
  return timelessSources(view).map((source) => ({
    kind: 'static',
    severity: 'error',
    view: view.name,
    source,
    column: null,
    features: [],
    as_of: null,
    rows: 0,
    examples: [],
    message: `source ${source} is static: every as-of sees the current table, so a training set can see what no night could; the readiness gate fails parity unless this is waived`,
    fix: `declare when its rows are valid (kind: history with valid_from, or snapshots with snapshot_at), or waive the risk if the table never changes`,
  }))
}

export function timelessSources({ sources }: Pick<View, 'sources'>): string[] {
  return Object.entries(sources)
    .filter(([, source]) => traitsOf(source).time === undefined)
    .map(([name]) => name)
}

import type { Check } from '../engine/facts.ts'

/**
 * Declared expectations, which a person may overrule for one night. All other checks are structural: one row per
 * entity, one entity per row, one score per row, the column types that readers rely on.
 */
const DECLARED: ReadonlySet<string> = new Set([
  'column.min',
  'column.max',
  'column.values',
  'column.max_null_rate',
  'column.unknown',
  'rows.min',
  'rows.max',
  'rows.max_change',
  'fresh',
  'score.range',
])

/** The failed checks that cannot be released: the result is not a valid partition of this view or model. */
export function brokenStructure(checks: Check[]): Check[] {
  return checks.filter(({ kind, passed }) => !passed && !DECLARED.has(kind))
}

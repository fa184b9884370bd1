import type { Check } from '../engine/facts.ts'

/**
 * What a team declares, and a person may overrule for one night. Everything else is structure: a row for each entity,
 * an entity for each row, a score for each row, the types that readers know.
 */
const DECLARED: ReadonlySet<string> = new Set([
  'column.min',
  'column.max',
  'column.values',
  'column.max_null_rate',
  'column.unknown',
  'column.unknown',
  'rows.min',
  'rows.max',
  'rows.max_change',
  'fresh',
  'score.range',
])

/** The failed checks that nobody may release: what was computed is not a partition of this view or model. */
export function brokenStructure(checks: Check[]): Check[] {
  return checks.filter(({ kind, passed }) => !passed && !DECLARED.has(kind))
}

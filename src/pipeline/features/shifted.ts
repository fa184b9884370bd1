import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'

/** Values below this quantile of their column are raised to it: most rows move, and every value is one that occurs. */
const QUANTILE = 0.75

/** Types with an order of which DuckDB computes quantiles exactly. */
const ORDERED =
  /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(|VARCHAR|BOOLEAN|DATE|TIME|TIMESTAMP)/

/**
 * The SQL of a view whose data has shifted, as a drill injects it: no value is new, but three quarters of each column's rows
 * have changed. Entities, null values and nested columns stay as they are.
 */
export function shifted(sql: string, columns: Column[], entity: string[]): string {
  const moved = columns
    .filter(({ name, type }) => !entity.includes(name) && ORDERED.test(type))
    .map(({ name }) => identifier(name))
  if (moved.length === 0) return sql
  const bounds = moved.map((name) => `quantile_disc(${name}, ${QUANTILE}) AS ${name}`)
  const raised = moved.map(
    (name) =>
      `CASE WHEN night.${name} < bounds.${name} THEN bounds.${name} ELSE night.${name} END AS ${name}`,
  )
  return `WITH night AS MATERIALIZED (${sql}
), bounds AS (SELECT ${bounds.join(', ')} FROM night)
SELECT night.* REPLACE (${raised.join(', ')}) FROM night, bounds`
}

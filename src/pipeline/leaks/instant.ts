import { type TimeColumn, ZONED } from '../cut/time-column.ts'
import { literal } from '../engine/quote.ts'

/**
 * SQL of a raw time as TIMESTAMPTZ, by DuckDB's own calendar (ICU). Serving cuts by arithmetic of its own, which is
 * ten times faster: a check that used it too would find none of its mistakes.
 */
export function instantSql(sql: string, { type, zone }: TimeColumn): string {
  if (type === ZONED && zone === 'UTC') return sql
  const wall = type === ZONED ? `(${sql}) AT TIME ZONE 'UTC'` : `(${sql})::TIMESTAMP`
  return `((${wall}) AT TIME ZONE ${literal(zone)})`
}

/** An instant (ISO 8601 in UTC) as a constant of the same type. */
export function instantLiteral(iso: string): string {
  return `TIMESTAMPTZ ${literal(iso)}`
}

/** Infinity and `9999-12-31` are ways to say never. */
export function isSet(sql: string): string {
  return `(${sql} IS NOT NULL AND ${sql} < TIMESTAMPTZ '2200-01-01T00:00:00Z' AND isfinite(${sql}))`
}

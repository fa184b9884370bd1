import { Temporal } from 'temporal-polyfill'
import { ConfigurationError } from './problem.ts'

/**
 * The cut-off instant of a partition. Features see only what happened before it.
 * A day's as-of is written `2026-11-22` and means the local midnight that begins it; an hour's is written
 * `2026-11-22T03Z` and means that hour's start in UTC.
 */
export interface AsOf {
  /** The partition's name, after `as_of=`. */
  label: string
  /** ISO 8601 in UTC, such as `2026-11-21T23:00:00Z`. */
  instant: string
  /** Wall time in the project's zone, such as `2026-11-22 00:00:00`: what `$as_of` is bound to. */
  local: string
}

export type Grain = 'day' | 'hour'

/** Reads `2026-11-22` or `2026-11-22T03Z`. Throws a ConfigurationError on anything else. */
export function parseAsOf(text: string, timezone: string): AsOf {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const date = attempt(() => Temporal.PlainDate.from(text, { overflow: 'reject' }), text)
    return fromInstant(date.toZonedDateTime(timezone).toInstant(), timezone, 'day')
  }
  if (/^\d{4}-\d{2}-\d{2}T\d{2}Z$/.test(text)) {
    const instant = attempt(() => Temporal.Instant.from(text.replace('Z', ':00Z')), text)
    return fromInstant(instant, timezone, 'hour')
  }
  throw invalid(text)
}

/** The as-of of the grain that contains an instant: the start of its local day, or of its hour in the zone. */
export function asOfContaining(instant: Temporal.Instant, timezone: string, grain: Grain): AsOf {
  const local = instant.toZonedDateTimeISO(timezone)
  const start = grain === 'day' ? local.startOfDay() : local.round({ smallestUnit: 'hour', roundingMode: 'floor' })
  return fromInstant(start.toInstant(), timezone, grain)
}

function fromInstant(instant: Temporal.Instant, timezone: string, grain: Grain): AsOf {
  const local = instant.toZonedDateTimeISO(timezone).toPlainDateTime()
  const label =
    grain === 'day' ? local.toPlainDate().toString() : `${instant.toString().slice(0, 13)}Z`
  return { label, instant: instant.toString(), local: local.toString({ smallestUnit: 'second' }).replace('T', ' ') }
}

function attempt<T>(read: () => T, text: string): T {
  try {
    return read()
  } catch (cause) {
    throw invalid(text, cause)
  }
}

function invalid(text: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    `as-of: expected a date such as 2026-11-22, or an hour such as 2026-11-22T03Z, got: ${text}`,
    { cause },
  )
}

import { Temporal } from 'temporal-polyfill'
import { ConfigurationError } from '../files/problem.ts'
import type { Duration } from '../project.ts'

/**
 * The cut-off instant of a partition. Features see only what happened before it.
 * A day's as-of is written `2026-11-22` and means the local midnight that begins it; an hour's is written
 * `2026-11-22T03Z` and means that hour's start in UTC.
 */
export interface AsOf extends Moment {
  /** The partition's name, after `as_of=`. */
  label: string
}

export interface Moment {
  /** ISO 8601 in UTC, such as `2026-11-21T23:00:00Z`. */
  instant: string
  /**
   * Wall time in the project's zone, such as `2026-11-22 00:00:00`: what `$as_of` is bound to. For a date, its
   * nominal midnight, even if the zone's clocks skip it and the date begins later.
   */
  local: string
}

export type Grain = 'day' | 'hour'

export const AS_OF_LEGAL = 'a date such as 2026-11-22, or an hour such as 2026-11-22T03Z'
/**
 * PostgreSQL has no year 0, and ISO 8601 writes years after 9999 differently. As-ofs keep enough distance that
 * windows before and after them stay within these limits.
 */
const YEARS = { first: 1000, last: 9000 }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Of a range: 270 years of nights, or 11 years of hours. More is a slip of the finger, and a night each in memory. */
const MOST_AS_OFS = 100_000

/** Reads `2026-11-22` or `2026-11-22T03Z`. Throws a ConfigurationError on anything else. */
export function parseAsOf(text: string, timezone: string): AsOf {
  const year = Number(/^\d{4}(?=-)/.exec(text)?.[0] ?? YEARS.first)
  if (year < YEARS.first || year > YEARS.last) {
    throw new ConfigurationError(`as-of: expected a year from ${YEARS.first} to ${YEARS.last}, got: ${text}`)
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const date = attempt(() => Temporal.PlainDate.from(text, { overflow: 'reject' }), text)
    const asOf = fromDate(date, timezone)
    if (asOf === undefined) {
      throw new ConfigurationError(`as-of: ${text} does not exist in ${timezone}: the zone skipped that date`)
    }
    return asOf
  }
  if (/^\d{4}-\d{2}-\d{2}T\d{2}Z$/.test(text)) {
    const instant = attempt(() => Temporal.Instant.from(text.replace('Z', ':00Z')), text)
    return fromInstant(instant, timezone, 'hour')
  }
  throw invalid(text)
}

/** Whether a text is an as-of in some zone. */
export function isAsOf(text: string): boolean {
  try {
    parseAsOf(text, 'UTC')
    return true
  } catch {
    return false
  }
}

/**
 * The as-of of the grain that contains an instant: the start of its local day, or of its hour. Hours are those of
 * UTC, so an hour that a change of clocks repeats is two partitions, and the names are unambiguous in zones with a
 * half-hour offset.
 */
export function asOfContaining(instant: Temporal.Instant, timezone: string, grain: Grain): AsOf {
  if (grain === 'hour') {
    return fromInstant(instant.round({ smallestUnit: 'hour', roundingMode: 'floor' }), timezone, 'hour')
  }
  return fromInstant(instant.toZonedDateTimeISO(timezone).startOfDay().toInstant(), timezone, 'day')
}

/**
 * The cut at any instant: that of its day or hour where it is the start of one, else one whose label is the instant, in
 * whole seconds. Such a cut is no partition: training sets alone have them.
 */
export function asOfAt(instant: Temporal.Instant, timezone: string): AsOf {
  for (const grain of ['day', 'hour'] as const) {
    const asOf = asOfContaining(instant, timezone, grain)
    if (Date.parse(asOf.instant) === instant.epochMilliseconds) return asOf
  }
  const text = instant.toString({ smallestUnit: 'second' })
  return { label: text, instant: text, local: wallTime(instant, timezone) }
}

/** The grain of an as-of, from its label. */
export function grainOf(asOf: AsOf): Grain {
  return asOf.label.includes('T') ? 'hour' : 'day'
}

/** The as-of `n` calendar days later in the zone (earlier where negative). An hour's keeps its local time of day. */
export function addDays(asOf: AsOf, n: number, timezone: string): AsOf {
  const local = Temporal.Instant.from(asOf.instant).toZonedDateTimeISO(timezone)
  if (grainOf(asOf) === 'hour') return asOfContaining(local.add({ days: n }).toInstant(), timezone, 'hour')
  const start = local.toPlainDate().add({ days: n }).toZonedDateTime(timezone)
  return fromInstant(start.toInstant(), timezone, 'day')
}

/**
 * Every as-of from one to the other, both inclusive, oldest first: by day for dates, by hour for hours. With
 * `grain: 'hour'` dates stand for all of their hours, the last date's too. Throws a ConfigurationError where the
 * order is wrong or a date is mixed with an hour.
 */
export function asOfRange(from: AsOf, to: AsOf, timezone: string, grain: Grain = grainOf(from)): AsOf[] {
  if (grainOf(from) !== grainOf(to)) {
    throw new ConfigurationError(
      `expected --from and --to to be two dates or two hours, got: ${from.label} and ${to.label}`,
    )
  }
  if (grain === 'day' && grainOf(from) === 'hour') {
    throw new ConfigurationError(
      `expected --from and --to to be dates such as 2026-11-22, got: ${from.label} and ${to.label}`,
    )
  }
  if (from.instant > to.instant) {
    throw new ConfigurationError(
      `expected --from to be no later than --to, got: ${from.label} and ${to.label}`,
    )
  }
  const unit = grain === 'day' ? DAY_MS : HOUR_MS
  const count = Math.round((Date.parse(to.instant) - Date.parse(from.instant)) / unit) + 1
  if (count > MOST_AS_OFS) {
    throw new ConfigurationError(
      `expected --from and --to to be at most ${MOST_AS_OFS} as-ofs apart, got: ${from.label} and ${to.label}, ${count} of them`,
    )
  }
  return grain === 'day' ? days(from, to, timezone) : hours(from, to, timezone)
}

/**
 * The moment a duration after another (before it, where negative), as `$label_end` needs it. Whole days are calendar
 * days in the zone: a day of 23 or 25 hours is a day, and the wall time stays what it is, by name also where the
 * clocks of that day skip it. Everything else is exact.
 */
export function momentAfter(
  { instant, local }: Moment,
  { days, ms }: Pick<Duration, 'days' | 'ms'>,
  timezone: string,
): Moment {
  if (ms === 0) return { instant, local }
  if (days !== undefined) {
    const wall = Temporal.PlainDateTime.from(local.replace(' ', 'T')).add({ days })
    return { instant: wall.toZonedDateTime(timezone).toInstant().toString(), local: textOf(wall) }
  }
  const end = Temporal.Instant.from(instant).add({ milliseconds: ms })
  return { instant: end.toString(), local: wallTime(end, timezone) }
}

function days(from: AsOf, to: AsOf, timezone: string): AsOf[] {
  const found: AsOf[] = []
  const last = Temporal.PlainDate.from(to.label)
  for (let date = Temporal.PlainDate.from(from.label); Temporal.PlainDate.compare(date, last) <= 0; ) {
    const asOf = fromDate(date, timezone)
    if (asOf !== undefined) found.push(asOf)
    date = date.add({ days: 1 })
  }
  return found
}

function hours(from: AsOf, to: AsOf, timezone: string): AsOf[] {
  const found: AsOf[] = []
  const day = grainOf(to) === 'day'
  const end = Temporal.Instant.from(day ? addDays(to, 1, timezone).instant : to.instant)
  // A date may begin at half past in UTC: its first hour is the first that begins within it.
  let at = Temporal.Instant.from(from.instant).round({ smallestUnit: 'hour', roundingMode: 'ceil' })
  for (; Temporal.Instant.compare(at, end) < (day ? 0 : 1); at = at.add({ hours: 1 })) {
    found.push(fromInstant(at, timezone, 'hour'))
  }
  return found
}

/** Undefined for a date that the zone skipped as a whole (Apia, 2011-12-30). */
function fromDate(date: Temporal.PlainDate, timezone: string): AsOf | undefined {
  const asOf = fromInstant(date.toZonedDateTime(timezone).toInstant(), timezone, 'day')
  return asOf.label === date.toString() ? asOf : undefined
}

function fromInstant(instant: Temporal.Instant, timezone: string, grain: Grain): AsOf {
  if (grain === 'hour') {
    const label = `${instant.toString().slice(0, 13)}Z`
    return { label, instant: instant.toString(), local: wallTime(instant, timezone) }
  }
  const date = instant.toZonedDateTimeISO(timezone).toPlainDate()
  return { label: date.toString(), instant: instant.toString(), local: textOf(date.toPlainDateTime()) }
}

function wallTime(instant: Temporal.Instant, timezone: string): string {
  return textOf(instant.toZonedDateTimeISO(timezone).toPlainDateTime())
}

function textOf(wall: Temporal.PlainDateTime): string {
  return wall.toString({ smallestUnit: 'second' }).replace('T', ' ')
}

function attempt<T>(read: () => T, text: string): T {
  try {
    return read()
  } catch (cause) {
    throw invalid(text, cause)
  }
}

function invalid(text: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`as-of: expected ${AS_OF_LEGAL}, got: ${text}`, { cause })
}

import { literal } from '../engine/quote.ts'
import { sqlName } from './data-paths.ts'

/**
 * How a column that is no time says one, as SQL over a column of `raw`: of a DATE where it says days, which are days of the
 * project's zone, else of a TIMESTAMP.
 */
export interface TimeReading {
  /** Such as `text like 22.11.2026`. */
  words: string
  /** Null where a value is none. */
  sql: (column: string) => string
  /** The type as which a text file can declare it. */
  cast?: 'DATE' | 'TIMESTAMP' | undefined
  /** It is written as people of one place write a time of day, who rarely mean UTC. */
  isLocal?: boolean
}

const FORMATS: [format: string, like: string][] = [
  ['%Y-%m-%d', '2026-11-22'],
  ['%Y/%m/%d', '2026/11/22'],
  ['%d.%m.%Y', '22.11.2026'],
  ['%d.%m.%Y %H:%M', '22.11.2026 08:30'],
  ['%d.%m.%Y %H:%M:%S', '22.11.2026 08:30:00'],
  ['%m/%d/%Y', '11/22/2026'],
  ['%m/%d/%Y %H:%M', '11/22/2026 08:30'],
  ['%m/%d/%Y %H:%M:%S', '11/22/2026 08:30:00'],
  ['%d/%m/%Y', '22/11/2026'],
  ['%d/%m/%Y %H:%M', '22/11/2026 08:30'],
  ['%d-%m-%Y', '22-11-2026'],
  ['%Y%m%d', '20261122'],
  ['%d-%b-%Y', '22-Nov-2026'],
  ['%b %d, %Y', 'Nov 22, 2026'],
]

/** Of texts, those that a cast reads first: with a time of day. */
export const TEXT_TIMES: TimeReading[] = [
  {
    words: 'text like 2026-11-22 08:30',
    sql: (column) => `try_cast(${sqlName(column)} AS TIMESTAMP)`,
    cast: 'TIMESTAMP',
  },
  ...FORMATS.map(([format, like]) => ({
    words: `text like ${like}`,
    isLocal: format.includes('%H'),
    cast: format === '%Y-%m-%d' ? ('DATE' as const) : undefined,
    sql: (column: string) =>
      `try_strptime(${sqlName(column)}, ${literal(format)})${format.includes('%H') ? '' : '::DATE'}`,
  })),
]

/** Whole numbers that say a time, and the bounds within which they do. */
export const NUMBER_TIMES: (TimeReading & { min: number; max: number; named: RegExp })[] = [
  {
    words: 'a number like 20261122',
    sql: (column) => `try_strptime(${sqlName(column)}::VARCHAR, '%Y%m%d')::DATE`,
    min: 19_000_101,
    max: 21_001_231,
    named: /date|day|_dt|^dt|tag|time/i,
  },
  {
    words: 'seconds since 1970',
    sql: (column) => `make_timestamp(${sqlName(column)}::BIGINT * 1000000)`,
    min: 631_152_000,
    max: 4_102_444_800,
    named: /epoch|unix|time|_ts$|^ts$|_at$/i,
  },
  {
    words: 'milliseconds since 1970',
    sql: (column) => `make_timestamp(${sqlName(column)}::BIGINT * 1000)`,
    min: 631_152_000_000,
    max: 4_102_444_800_000,
    named: /epoch|unix|time|_ts$|^ts$|_at$/i,
  },
  {
    words: 'microseconds since 1970',
    sql: (column) => `make_timestamp(${sqlName(column)}::BIGINT)`,
    min: 631_152_000_000_000,
    max: 4_102_444_800_000_000,
    named: /epoch|unix|time|_[tu]s$|^ts$|_at$/i,
  },
  {
    words: 'nanoseconds since 1970',
    sql: (column) => `make_timestamp(${sqlName(column)}::BIGINT // 1000)`,
    min: 631_152_000_000_000_000,
    max: 4_102_444_800_000_000_000,
    named: /epoch|unix|time|_[tn]s$|^ts$|_at$/i,
  },
]

/** All of them; a look names them by their places. */
export const TIME_READINGS: TimeReading[] = [...TEXT_TIMES, ...NUMBER_TIMES]

/** The reading of a time that a look at a column found, by its places in `TIME_READINGS`. */
export function timeReading({ time }: { time: { readings: number[] } | undefined }): TimeReading | undefined {
  return firstOf((time?.readings ?? []).flatMap((each) => TIME_READINGS[each] ?? []))
}

/** Reads a value in the first of these ways that reads it. */
function firstOf([first, ...others]: TimeReading[]): TimeReading | undefined {
  if (first === undefined || others.length === 0) return first
  const likes = others.map(({ words }) => words.replace('text like ', ''))
  return {
    words: `${first.words} or ${likes.join(' or ')}`,
    isLocal: [first, ...others].some(({ isLocal }) => isLocal === true),
    sql: (column) => `coalesce(${[first, ...others].map(({ sql }) => sql(column)).join(', ')})`,
  }
}

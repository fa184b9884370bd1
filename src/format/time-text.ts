/** Types of columns whose figures are seconds since 1970. */
export const TIMES = /^(?:DATE|TIMESTAMP(?:_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE)$/

/**
 * A figure of a column of times, seconds since 1970, as ISO 8601: the day of a DATE, `2026-11-22T07:12:00` in the
 * project's zone of a TIMESTAMP, with a Z of one with a zone. Null for other types, for no figure, and for what lies
 * beyond the calendar of JavaScript (275,760).
 */
export function timeText(seconds: number | null, type: string | null): string | null {
  if (seconds === null || type === null || !TIMES.test(type)) return null
  const date = new Date(Math.round(seconds) * 1000)
  if (Number.isNaN(date.getTime())) return null
  const text = date.toISOString().replace(/\.\d+Z$/, 'Z')
  if (type === 'DATE') return text.replace(/T.*$/, '')
  return type === 'TIMESTAMP WITH TIME ZONE' ? text : text.replace(/Z$/, '')
}

/** The same for people: `2026-11-22`, `2026-11-22 07:12`, `2026-11-22 07:12 UTC`. */
export function readableTime(seconds: number | null, type: string | null): string | null {
  return (
    timeText(seconds, type)
      ?.replace(/T(\d\d:\d\d):\d\d/, ' $1')
      .replace(/Z$/, ' UTC') ?? null
  )
}

/** As-ofs in order: `2026-07-01 to 2026-08-12 (4)`, and two of them as they are. */
export function spanText(asOfs: string[]): string {
  if (asOfs.length === 0) return 'none'
  return asOfs.length <= 2 ? asOfs.join(', ') : `${asOfs[0]} to ${asOfs.at(-1)} (${asOfs.length})`
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** `2026-11-22 02:05 CET`; empty for none. Text that is not a time is returned unchanged. */
export function clockTime(iso: string | Date | null | undefined, timezone: string): string {
  if (iso === null || iso === undefined) return ''
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return String(iso)
  const part = Object.fromEntries(
    format(timezone)
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  )
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute} ${part.timeZoneName}`
}

/** `02:05` of an instant in a zone. */
export function hourAndMinute(iso: string | Date, timezone: string): string {
  return clockTime(iso, timezone).slice(11, 16)
}

/** `02:05 CET` of an instant in a zone. */
export function hourAndZone(iso: string | Date, timezone: string): string {
  return clockTime(iso, timezone).slice(11)
}

/** `2026-11-22`: the local day of an instant. */
export function localDay(iso: string | Date, timezone: string): string {
  return clockTime(iso, timezone).slice(0, 10)
}

/** Replaces the instants in a text (`2026-11-21T21:00:00Z`) by clock times. */
export function localTimes(text: string, timezone: string): string {
  return text.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})/g, (instant) =>
    clockTime(instant, timezone),
  )
}

function format(timezone: string): Intl.DateTimeFormat {
  let found = formats.get(timezone)
  if (found === undefined) {
    // en-GB writes CET and CEST for Europe and GMT-5 for the rest: names that are not ambiguous.
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'short',
    })
    formats.set(timezone, found)
  }
  return found
}

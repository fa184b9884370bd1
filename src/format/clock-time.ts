const formats = new Map<string, Intl.DateTimeFormat>()

/** `2026-11-22 02:05 CET`. A text that is no time is given back as it is. */
export function clockTime(iso: string | Date, timezone: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return String(iso)
  const part = Object.fromEntries(
    format(timezone)
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  )
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute} ${part.timeZoneName}`
}

/** A text whose instants (`2026-11-21T21:00:00Z`) are told as clock times. */
export function localTimes(text: string, timezone: string): string {
  return text.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})/g, (instant) =>
    clockTime(instant, timezone),
  )
}

/** How long something took or is old, in the two largest units that matter: `45 s`, `12 min`, `5 h 10 min`, `3 days 4 h`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return two(hours, 'h', minutes % 60, 'min')
  return two(Math.floor(hours / 24), 'days', hours % 24, 'h')
}

function two(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

function format(timezone: string): Intl.DateTimeFormat {
  let found = formats.get(timezone)
  if (found === undefined) {
    // en-GB writes CET and CEST for Europe and GMT-5 for the rest: no name that two places share.
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

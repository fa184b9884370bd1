/** `2026-11-22 03:00:14 +01:00`: an instant in a zone, with the zone's offset; empty for none. */
export function localTime(iso: string | null | undefined, timezone: string): string {
  if (iso === null || iso === undefined) return ''
  const date = new Date(iso)
  // Swedish writes dates as ISO 8601 does.
  const wall = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(date)
  const offset = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' })
    .formatToParts(date)
    .find((part) => part.type === 'timeZoneName')?.value
  return `${wall} ${offset === 'GMT' ? '+00:00' : (offset ?? '').replace('GMT', '')}`
}

/** A text whose instants (`2026-11-21T21:00:00Z`) are told as the zone's clock shows them. */
export function inLocalTime(text: string, timezone: string): string {
  return text.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})/g, (instant) =>
    localTime(instant, timezone),
  )
}

import { Cron } from 'croner'

/** Says why a text is no cron of ours, or undefined where it is one: five fields, no `?`, no `@daily`. */
export function cronFault(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length === 6) return 'has six: seconds are not supported'
  if (fields.length !== 5) {
    return `has ${cron.trim() === '' ? 'none' : fields.length}`
  }
  // croner reads `?` as the moment it looks: the calendar would differ from one start of the scheduler to the next.
  if (cron.includes('?')) return 'has a `?`, which means another time whenever it is read: use `*`'
  try {
    const pattern = new Cron(cron, { mode: '5-part', utcOffset: 0 })
    // The rarest that comes at all is 29 February on a given weekday; croner looks ahead far enough for it.
    return pattern.nextRun(new Date('2026-01-01T00:00:00Z')) === null
      ? 'names a time that never comes'
      : undefined
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return `is not valid: ${message.replace(/^CronPattern: /, '')}`
  }
}

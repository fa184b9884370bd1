import { Cron } from 'croner'

/** Why a text is not a supported cron expression, or undefined if it is one: five fields, no `?`, no `@daily`. */
export function cronFault(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length === 6) return 'has six: seconds are not supported'
  if (fields.length !== 5) {
    return `has ${cron.trim() === '' ? 'none' : fields.length}`
  }
  // croner replaces `?` by the current time, so the calendar would differ with each start of the scheduler.
  if (cron.includes('?')) return 'has a `?`, which means the time at which it is read: use `*`'
  try {
    const pattern = new Cron(cron, { mode: '5-part', utcOffset: 0 })
    // The rarest valid time is 29 February on a given weekday; croner searches far enough for it.
    return pattern.nextRun(new Date('2026-01-01T00:00:00Z')) === null ? 'matches no date' : undefined
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return `is not valid: ${message.replace(/^CronPattern: /, '')}`
  }
}

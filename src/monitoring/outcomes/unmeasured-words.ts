import { localTimes } from '../../format/clock-time.ts'
import { unmeasured as why } from './unmeasured-night.ts'

/** The same text with the clock times of the pages. */
export function unmeasured(
  night: Parameters<typeof why>[0],
  now: Date,
  timezone: string,
): string | undefined {
  const text = why(night, now)
  return text === undefined ? undefined : localTimes(text, timezone)
}

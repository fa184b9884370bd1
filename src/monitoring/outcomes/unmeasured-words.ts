import { localTimes } from '../../format/clock-time.ts'
import { unmeasured as why } from './unmeasured-night.ts'

/** The same in the clock times of the pages. */
export function unmeasured(
  night: Parameters<typeof why>[0],
  now: Date,
  timezone: string,
): string | undefined {
  const said = why(night, now)
  return said === undefined ? undefined : localTimes(said, timezone)
}

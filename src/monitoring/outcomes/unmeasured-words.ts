import { localTimes } from '../alerts/time.ts'
import { unmeasured as why } from '../jobs/unmeasured.ts'

/** The same in the clock times of the pages. */
export function unmeasured(
  night: Parameters<typeof why>[0],
  now: Date,
  timezone: string,
): string | undefined {
  const said = why(night, now)
  return said === undefined ? undefined : localTimes(said, timezone)
}

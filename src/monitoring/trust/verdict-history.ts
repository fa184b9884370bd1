import { clockTime, localTimes } from '../../format/clock-time.ts'
import type { Verdict } from './verdict-records.ts'

/**
 * How the answer about a list has changed, a sentence a change, the newest first:
 * `Was yes at 2026-03-03 06:10 UTC, no since 2026-03-03 09:30 UTC: Its input has drifted: spend (PSI 0.31, threshold 0.1).`
 * Empty if it never changed.
 */
export function verdictHistory(verdicts: Verdict[], timezone: string): string[] {
  return verdicts
    .flatMap((verdict, index) => {
      const before = verdicts[index - 1]
      return before === undefined ? [] : [changeText(before, verdict, timezone)]
    })
    .toReversed()
}

function changeText(before: Verdict, after: Verdict, timezone: string): string {
  const at = (iso: string) => clockTime(iso, timezone)
  const span =
    after.until === null ? `since ${at(after.since)}` : `from ${at(after.since)} to ${at(after.until)}`
  const again = after.run === before.run ? [] : [`published again by run ${after.run}`]
  const over = after.why === '' && before.why !== '' && again.length === 0 ? [`no longer: ${before.why}`] : []
  const why = [...again, ...(after.why === '' ? [] : [after.why]), ...over].join('; ')
  const words =
    before.answer === after.answer
      ? `Still ${after.answer} ${span}`
      : `Was ${before.answer} at ${at(before.since)}, ${after.answer} ${span}`
  return `${words}${why === '' ? '' : `: ${localTimes(why, timezone)}`}${/[.!?]$/.test(why) ? '' : '.'}`
}

import { ConfigurationError } from '../files/problem.ts'
import { type AsOf, grainOf, parseAsOf } from './asof.ts'

/** Reads an as-of in UTC: what no zone could read is refused, in the name of its option, such as `--from`. */
export function readAsOfOption(option: string, text: string): AsOf {
  try {
    return parseAsOf(text, 'UTC')
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(error.message.replace(/^as-of/, option), { cause: error })
  }
}

/** Throws a ConfigurationError where --from is later than --to. Others than of one grain are left to whoever knows the schedules. */
export function refuseReversed(from: AsOf, to: AsOf): void {
  if (grainOf(from) !== grainOf(to) || Date.parse(from.instant) <= Date.parse(to.instant)) return
  throw new ConfigurationError(
    `--from: expected an as-of no later than --to (${to.label}), got: ${from.label}`,
  )
}

import { didYouMean } from '../files/nearest.ts'
import { ConfigurationError } from '../files/problem.ts'
import { AS_OF_LEGAL, type AsOf, grainOf, parseAsOf } from './asof.ts'

/**
 * Reads an as-of in UTC: what no zone could read is refused, in the name of its option, such as `--from`. `words` are legal there
 * too, and read by the caller.
 */
export function readAsOfOption(option: string, text: string, words: string[] = []): AsOf {
  try {
    return parseAsOf(text, 'UTC')
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const legal = words.length === 0 ? AS_OF_LEGAL : `${AS_OF_LEGAL}, or one of ${words.join(', ')}`
    const message = error.message.replace(/^as-of/, option).replace(AS_OF_LEGAL, legal)
    throw new ConfigurationError(message + didYouMean(text, words), { cause: error })
  }
}

/** Throws a ConfigurationError where --from is later than --to. Others than of one grain are left to whoever knows the schedules. */
export function refuseReversed(from: AsOf, to: AsOf): void {
  if (grainOf(from) !== grainOf(to) || Date.parse(from.instant) <= Date.parse(to.instant)) return
  throw new ConfigurationError(
    `--from: expected an as-of no later than --to (${to.label}), got: ${from.label}`,
  )
}

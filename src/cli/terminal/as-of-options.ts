import type { Command } from 'commander'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type AsOf, grainOf, parseAsOf } from '../../project/time/asof.ts'

/**
 * Reads every option of a call that is an as-of, in UTC, before anything is opened: what no zone could read is refused,
 * and a first one that is later than the last. Throws a ConfigurationError that names the option.
 */
export function refuseAsOfs(command: Command): void {
  const read = new Map<string, AsOf>()
  for (const option of command.options) {
    if (!option.flags.endsWith('<as-of>')) continue
    const given: unknown = command.getOptionValue(option.attributeName())
    for (const text of [given].flat()) {
      if (typeof text === 'string') read.set(option.long ?? option.flags, named(option.long, text))
    }
  }
  const [from, to] = [read.get('--from'), read.get('--to')]
  if (from === undefined || to === undefined || grainOf(from) !== grainOf(to)) return
  if (Date.parse(from.instant) <= Date.parse(to.instant)) return
  throw new ConfigurationError(
    `--from: expected an as-of no later than --to (${to.label}), got: ${from.label}`,
  )
}

function named(option: string | undefined, text: string): AsOf {
  try {
    return parseAsOf(text, 'UTC')
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new ConfigurationError(error.message.replace(/^as-of/, option ?? 'as-of'), { cause: error })
  }
}

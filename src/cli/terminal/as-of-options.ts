import type { Command } from 'commander'
import { readAsOfOption, refuseReversed } from '../../project/time/as-of-option.ts'
import type { AsOf } from '../../project/time/asof.ts'

/**
 * Reads every option of a call that is an as-of, in UTC, before anything is opened: what no zone could read is refused,
 * and a first one that is later than the last. Throws a ConfigurationError that names the option.
 */
export function refuseAsOfs(command: Command): void {
  const read = new Map<string, AsOf>()
  for (const option of command.options) {
    if (!option.flags.endsWith('<as-of>')) continue
    const name = option.long ?? option.flags
    const given: unknown = command.getOptionValue(option.attributeName())
    for (const text of [given].flat()) {
      if (typeof text === 'string') read.set(name, readAsOfOption(name, text))
    }
  }
  const [from, to] = [read.get('--from'), read.get('--to')]
  if (from !== undefined && to !== undefined) refuseReversed(from, to)
}

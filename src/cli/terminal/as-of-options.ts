import type { Command } from 'commander'
import { Temporal } from 'temporal-polyfill'
import { newestDue } from '../../jobs/planning/calendar.ts'
import { projectIn } from '../../project/files/known-project.ts'
import type { Project } from '../../project/project.ts'
import { readAsOfOption, refuseReversed } from '../../project/time/as-of-option.ts'
import type { AsOf } from '../../project/time/asof.ts'

/** What may stand for an as-of, and the one that it means for a model or view at an instant. */
const WORDS: Record<string, (project: Project, of: string | undefined, now: Temporal.Instant) => string> = {
  today: ({ timezone }, _of, now) => dayOf(now, timezone).toString(),
  yesterday: ({ timezone }, _of, now) => dayOf(now, timezone).subtract({ days: 1 }).toString(),
  latest: (project, of, now) => newestDue(project, of, now) ?? dayOf(now, project.timezone).toString(),
}

/**
 * Reads every option of a call that is an as-of before anything is opened. `today`, `yesterday` and `latest` become the
 * as-of that they mean in the project's zone; what no zone could read is refused, and a first one that is later than the
 * last. Throws a ConfigurationError that names the option.
 *
 * @param args the arguments of the command, of which the first, if there is one, names a model or view
 */
export async function readAsOfs(
  command: Command,
  args: string[],
  folder: string,
  now = Temporal.Now.instant(),
): Promise<void> {
  const read = new Map<string, AsOf>()
  let project: Project | undefined
  for (const option of command.options) {
    if (!option.flags.endsWith('<as-of>')) continue
    const name = option.long ?? option.flags
    const given: unknown = command.getOptionValue(option.attributeName())
    const texts: unknown[] = []
    for (const text of [given].flat()) {
      const word = typeof text === 'string' ? WORDS[text] : undefined
      if (word !== undefined) project ??= await projectIn(folder)
      texts.push(word === undefined || project === undefined ? text : word(project, args[0], now))
    }
    for (const text of texts)
      if (typeof text === 'string') read.set(name, readAsOfOption(name, text, Object.keys(WORDS)))
    if (given !== undefined)
      command.setOptionValue(option.attributeName(), Array.isArray(given) ? texts : texts[0])
  }
  const [from, to] = [read.get('--from'), read.get('--to')]
  if (from !== undefined && to !== undefined) refuseReversed(from, to)
}

function dayOf(now: Temporal.Instant, timezone: string): Temporal.PlainDate {
  return now.toZonedDateTimeISO(timezone).toPlainDate()
}

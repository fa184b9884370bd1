import { oneLine } from '../../format/one-line.ts'
import type { Project } from '../../project/project.ts'
import { singleAddress } from './address.ts'

/** How a project's mails are made. Times in milliseconds. */
export interface AlertSettings {
  project: string
  timezone: string
  /** One address; the display name is ours. */
  from: string
  /** Mails that fall due within this of one another go out as one, per address. */
  group: number
  /** An open incident that nobody has acknowledged is mailed again after this. */
  repeat: number
}

export const DEFAULT_FROM = 'nightshift@localhost'
const DEFAULT_GROUP = 30_000
const DEFAULT_REPEAT = 4 * 3_600_000

/** Never throws: a mail with a poor sender is better than none. `validate` is where a bad sender is refused. */
export function alertSettings(project: Pick<Project, 'name' | 'timezone' | 'alerts'>): AlertSettings {
  const from = project.alerts?.from ?? DEFAULT_FROM
  const inBrackets = /<([^<>]+)>\s*$/.exec(from)?.[1]
  return {
    project: oneLine(project.name, 100),
    timezone: project.timezone,
    from: singleAddress(inBrackets ?? from) ?? DEFAULT_FROM,
    group: project.alerts?.group.ms ?? DEFAULT_GROUP,
    repeat: project.alerts?.repeat.ms ?? DEFAULT_REPEAT,
  }
}

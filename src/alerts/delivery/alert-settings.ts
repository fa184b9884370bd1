import { hostname } from 'node:os'
import { oneLine } from '../../format/one-line.ts'
import { singleAddress } from '../../project/files/mail-address.ts'
import type { Project, Webhook } from '../../project/project.ts'

/** Mail settings of a project. Times in milliseconds. */
export interface AlertSettings {
  project: string
  timezone: string
  /** One address; Nightshift sets the display name. */
  from: string
  /** Mails to one address that fall due within this time of each other are sent as one. */
  group: number
  /** An unacknowledged open incident is mailed again after this time. */
  repeat: number
  /** Who else is mailed about an incident that nobody acknowledges within so long of its first mail. */
  escalate: { to: string[]; after: number } | undefined
  /** Where incidents are posted to, beside the mails. */
  webhooks: Webhook[]
  /** Where the pages are; undefined: mails have no links. */
  baseUrl: string | undefined
  /** Nights start by a schedule, so that a scheduler has to run. */
  isScheduled: boolean
  /** What the commands in mails begin with. */
  command: string
  /** Where the project is: this machine's name, and the folder. */
  host: string
  folder: string
}

export const DEFAULT_COMMAND = 'npx nightshift'
export const DEFAULT_FROM = 'nightshift@localhost'
const DEFAULT_GROUP = 30_000
const DEFAULT_REPEAT = 4 * 3_600_000

/** Never throws: a mail with a poor sender is better than no mail. `validate` rejects a bad sender. */
export function alertSettings(
  project: Pick<Project, 'name' | 'timezone' | 'alerts' | 'root' | 'schedules'>,
): AlertSettings {
  const escalate = project.alerts?.escalate
  const from = project.alerts?.from ?? DEFAULT_FROM
  const inBrackets = /<([^<>]+)>\s*$/.exec(from)?.[1]
  return {
    project: oneLine(project.name, 100),
    timezone: project.timezone,
    from: singleAddress(inBrackets ?? from) ?? DEFAULT_FROM,
    group: project.alerts?.group.ms ?? DEFAULT_GROUP,
    repeat: project.alerts?.repeat.ms ?? DEFAULT_REPEAT,
    escalate: escalate && { to: escalate.to, after: escalate.after.ms },
    webhooks: project.alerts?.webhook ?? [],
    baseUrl: project.alerts?.base_url,
    isScheduled: Object.values(project.schedules).some(({ paused }) => !paused),
    command: project.alerts?.command ?? DEFAULT_COMMAND,
    host: oneLine(hostname(), 100),
    folder: oneLine(project.root, 300),
  }
}

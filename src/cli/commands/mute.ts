import { muteSubject, unmuteSubject } from '../../actions/mute-subject.ts'
import type { GlobalOptions } from '../../cli.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { personNamed } from '../../project/people.ts'
import { printLine } from '../terminal/print.ts'

export default function muteCommand(
  [subject = '']: string[],
  options: GlobalOptions & { until?: string; off?: true; by?: string },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const by = personNamed(project, options.by)
    const names = [...Object.keys(project.models), ...Object.keys(project.views)]
    if (!names.includes(subject)) {
      throw new ConfigurationError(
        `mute: expected a model or view of this project (${names.join(', ')}), got: ${subject}`,
      )
    }
    if (options.off && options.until === undefined) {
      const wasMuted = await unmuteSubject(database, subject)
      printLine(wasMuted ? `mails about ${subject} are sent again from now on` : `${subject} was not muted`)
      return 0
    }
    if (options.until === undefined || options.off) {
      throw new ConfigurationError(
        `mute: expected one of --until TIME and --off, got: ${options.off ? 'both' : 'none'}`,
      )
    }
    const until = await muteSubject(database, subject, options.until, by, project.timezone)
    printLine(`no mails about ${subject} until ${clockTime(until.toISOString(), project.timezone)}`)
    return 0
  })
}

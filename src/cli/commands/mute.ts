import { mute, unmute } from '../../alerts/incidents/mutes.ts'
import type { GlobalOptions } from '../../cli.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { readDuration } from '../../project/time/duration.ts'
import { personNamed } from '../terminal/find.ts'
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
      const wasMuted = await transaction(database, (client) => unmute(client, subject))
      printLine(wasMuted ? `mails about ${subject} are sent again from now on` : `${subject} was not muted`)
      return 0
    }
    if (options.until === undefined || options.off) {
      throw new ConfigurationError(
        `mute: expected one of --until TIME and --off, got: ${options.off ? 'both' : 'none'}`,
      )
    }
    const span = readDuration(options.until)
    const now = await ledgerNow(database.pool)
    const until = span === undefined ? new Date(options.until) : new Date(now.getTime() + span.ms)
    await transaction(database, (client) => mute(client, now, subject, until, by ?? undefined))
    printLine(`no mails about ${subject} until ${clockTime(until.toISOString(), project.timezone)}`)
    return 0
  })
}

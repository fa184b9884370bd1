import { muteSubject, unmuteSubject } from '../../actions/incidents/mute-subject.ts'
import { mutedText } from '../../alerts/incidents/mutes.ts'
import { INCIDENT_KINDS, type IncidentKind } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

export default function muteCommand(
  [subject = '']: string[],
  options: GlobalOptions & { kind?: string; until?: string; off?: true; by?: string },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const by = personNamed(project, options.by)
    const names = [...Object.keys(project.models), ...Object.keys(project.views)]
    if (!names.includes(subject)) {
      throw new ConfigurationError(
        `mute: expected a model or view of this project (${names.join(', ')}), got: ${subject}`,
      )
    }
    const kind = kindNamed(options.kind)
    const muted = mutedText({ subject, kind: kind ?? 'all' })
    if (options.off && options.until === undefined) {
      const wasMuted = await unmuteSubject(database, subject, kind)
      if (options.json) printJson({ subject, kind: kind ?? 'all', until: null, was_muted: wasMuted })
      else printLine(wasMuted ? `mails about ${muted} are sent again from now on` : `${muted} was not muted`)
      return 0
    }
    if (options.until === undefined || options.off) {
      throw new ConfigurationError(
        `mute: expected one of --until TIME and --off, got: ${options.off ? 'both' : 'none'}`,
      )
    }
    const asked = { subject, kind: kind ?? ('all' as const), by }
    const until = await muteSubject(database, asked, options.until, project.timezone)
    if (options.json) printJson({ ...asked, until: until.toISOString() })
    else printLine(`no mails about ${muted} until ${clockTime(until.toISOString(), project.timezone)}`)
    return 0
  })
}

function kindNamed(text: string | undefined): IncidentKind | undefined {
  const kind = INCIDENT_KINDS.find((each) => each === text)
  if (text === undefined || kind !== undefined) return kind
  throw new ConfigurationError(
    `mute: expected --kind to be one of ${INCIDENT_KINDS.join(', ')}, got: ${text}${didYouMean(text, INCIDENT_KINDS)}`,
  )
}

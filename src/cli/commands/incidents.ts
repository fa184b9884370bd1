import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { EVENT_WORDS, eventsOf, type IncidentEvent } from '../../alerts/incidents/events.ts'
import { readIds } from '../../alerts/incidents/id-ranges.ts'
import { nightsOf } from '../../alerts/incidents/incident-record.ts'
import { type ListedIncident, listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { letterText } from '../../alerts/letters/letter-text.ts'
import { withOwnCommands } from '../../alerts/letters/own-commands.ts'
import { threadLetter } from '../../alerts/letters/thread-mail.ts'
import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { type Alive, whoIsAlive } from '../../ledger/nights/alive.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { printMutes } from '../terminal/print-mutes.ts'

/** `incidents` lists them; `incidents 3` prints one as its mail says it, with what happened since it opened. */
export default function incidents(
  [number]: string[],
  options: GlobalOptions & { all?: boolean },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const now = await ledgerNow(database.pool)
    if (number !== undefined) {
      const [id = 0, ...others] = readIds([number])
      const [found] =
        others.length > 0 ? [] : await listIncidents(database.pool, now, { id, closedToo: true })
      if (found === undefined) {
        throw new ConfigurationError(
          `incidents: expected the number of an incident, got: ${number}; \`nightshift incidents --all\` lists them`,
        )
      }
      const events = await eventsOf(database.pool, id)
      if (options.json) printJson({ ...record(found), events })
      else printOne(project, found, events, { now, alive: await whoIsAlive(database, { staying: true }) })
      return 0
    }
    const found = await listIncidents(database.pool, now, {
      closedToo: options.all === true,
    })
    if (options.json) printJson(found.map(record))
    else if (found.length === 0) printLine(options.all ? 'no incidents yet' : 'no open incidents')
    else {
      printTable(
        ['incident', 'subject', 'kind', 'nights', 'opened', 'state', 'mails'],
        found.map((each) => [
          each.id,
          each.subject,
          kindOf(each.kind).name,
          partitions(each).join(', '),
          clockTime(each.openedAt.toISOString(), project.timezone),
          each.closedAt !== undefined
            ? 'closed'
            : each.ackedBy === undefined
              ? 'open'
              : `open, acknowledged by ${each.ackedBy}`,
          each.mails,
        ]),
        { spare: ['mails', 'opened'] },
      )
    }
    if (!options.json) await printMutes(database, project, now)
    return 0
  })
}

function printOne(
  project: Project,
  incident: ListedIncident,
  events: IncidentEvent[],
  at: { now: Date; alive: Alive },
): void {
  const settings = alertSettings(project)
  const letter = threadLetter({
    occasion: incident.closedAt === undefined ? 'opened' : 'cleared',
    incidents: [incident],
    recipient: 'YOU',
    settings,
    ...at,
  })
  printLine(letterText(withOwnCommands(letter, settings.command)))
  printTable(
    ['at', 'what happened', 'night', 'who'],
    events.map(({ at, event, partition, detail }) => [
      clockTime(at.toISOString(), project.timezone),
      EVENT_WORDS[event],
      partition,
      [detail?.recipient ?? detail?.by].find((each) => typeof each === 'string') as string | undefined,
    ]),
  )
}

function partitions(incident: ListedIncident): string[] {
  return nightsOf(incident).flatMap(({ partition }) => partition ?? [])
}

function record(incident: ListedIncident) {
  const { id, subject, kind, facts } = incident
  return {
    incident: id,
    subject,
    subject_kind: incident.subjectKind,
    kind,
    state: incident.closedAt === undefined ? 'open' : 'closed',
    opened_at: incident.openedAt,
    closed_at: incident.closedAt ?? null,
    acked_at: incident.ackedAt ?? null,
    acked_by: incident.ackedBy ?? null,
    nights: partitions(incident),
    message: facts.failure.message,
    recipients: incident.recipients,
    mails: incident.mails,
    last_mail_at: incident.lastMailAt ?? null,
    next_mail_at: incident.nextMailAt ?? null,
    muted_until: incident.mutedUntil ?? null,
  }
}

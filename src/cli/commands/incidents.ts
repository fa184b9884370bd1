import { nightsOf } from '../../alerts/incidents/incident-record.ts'
import { type ListedIncident, listIncidents } from '../../alerts/incidents/list-incidents.ts'
import type { GlobalOptions } from '../../cli.ts'
import { kindOf } from '../../failures/incident-kinds.ts'
import { clockTime } from '../../format/clock-time.ts'
import { withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { printMutes } from '../terminal/print-mutes.ts'

export default function incidents(
  _args: string[],
  options: GlobalOptions & { all?: boolean },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const now = await ledgerNow(database.pool)
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
      )
    }
    if (!options.json) await printMutes(database, project, now)
    return 0
  })
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

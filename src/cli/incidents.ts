import { listIncidents } from '../alerts/list-incidents.ts'
import type { GlobalOptions } from '../cli.ts'
import { localTime } from '../project/local-time.ts'
import { printJson, printLine, printTable } from './print.ts'
import { withSession } from './session.ts'

export default function incidents(
  _args: string[],
  options: GlobalOptions & { all?: boolean },
): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const found = await listIncidents(database.pool, new Date(), { closedToo: options.all === true })
    if (options.json) printJson(found)
    else if (found.length === 0) printLine(options.all ? 'no incidents yet' : 'no open incidents')
    else {
      printTable(
        ['incident', 'subject', 'kind', 'nights', 'opened', 'state', 'mails'],
        found.map((each) => [
          each.id,
          each.subject,
          each.kind,
          each.bad.join(', '),
          localTime(each.openedAt.toISOString(), project.timezone),
          each.closedAt !== undefined
            ? 'closed'
            : each.ackedBy === undefined
              ? 'open'
              : `open, ${each.ackedBy} is on it`,
          each.mails,
        ]),
      )
    }
    return 0
  })
}

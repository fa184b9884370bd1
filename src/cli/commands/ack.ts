import { ackIncidents, ackTestMail } from '../../actions/incidents/ack-incidents.ts'
import { isTestCode } from '../../alerts/delivery/alert-tests.ts'
import { readIds } from '../../alerts/incidents/id-ranges.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

export default function ackCommand(args: string[], options: GlobalOptions & { by: string }): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const by = personNamed(project, options.by) ?? options.by
    const codes = args.filter(isTestCode)
    const tests = []
    for (const code of codes) {
      const { recipient, acked_by } = await ackTestMail({ database }, code, by)
      tests.push({ code, recipient, acked_by })
      if (!options.json) printLine(`test mail to ${recipient}: received, acknowledged by ${acked_by}`)
    }
    if (codes.length === args.length) {
      if (options.json) printJson({ by, incidents: [], tests })
      return 0
    }
    const acked = await ackIncidents(
      { database, clock: ledgerClock(database) },
      readIds(args.filter((arg) => !isTestCode(arg))),
      by,
    )
    if (acked.length === 0) {
      throw new ConfigurationError(
        `ack: expected the number of an open incident, got: ${args.join(' ')}; \`nightshift incidents\` lists them`,
      )
    }
    if (options.json) printJson({ by, incidents: acked, tests })
    else
      printLine(
        `incident ${acked.join(', ')}: acknowledged by ${by}; no more mails until something new happens`,
      )
    return 0
  })
}

import { ack } from '../alerts/ack.ts'
import { readIds } from '../alerts/ids.ts'
import type { GlobalOptions } from '../cli.ts'
import { ledgerNow } from '../database/clock.ts'
import { transaction } from '../database/database.ts'
import { ConfigurationError } from '../project/problem.ts'
import { personNamed } from './find.ts'
import { printLine } from './print.ts'
import { withSession } from './session.ts'

export default function ackCommand(args: string[], options: GlobalOptions & { by: string }): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const by = personNamed(project, options.by) ?? options.by
    const acked = await transaction(database, async (client) =>
      ack(client, await ledgerNow(client), readIds(args), by),
    )
    if (acked.length === 0) {
      throw new ConfigurationError(
        `ack: expected the number of an open incident, got: ${args.join(' ')}; \`nightshift incidents\` lists them`,
      )
    }
    printLine(
      `incident ${acked.join(', ')}: ${by} is on it; it is not mailed again until something new happens`,
    )
    return 0
  })
}

import { skip } from '../../actions/skip-slot.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { slotNamed } from '../terminal/find.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `skip NAME:AS-OF --reason`: skips a slot and closes its incident. */
export default function skipCommand(
  [text = '']: string[],
  options: GlobalOptions & { reason: string; by?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const by = personNamed(project, options.by)
    const found = await slotNamed(database.pool, project, text, 'skip')
    await skip({ database, project: () => project, clock: ledgerClock(database) }, found, {
      reason: options.reason,
      by,
    })
    await postIfAlone(session)
    if (options.json)
      printJson({
        slot: text,
        kind: found.kind,
        name: found.name,
        as_of: found.partition,
        state: 'skipped',
        reason: options.reason,
      })
    else printLine(`${text} is skipped: ${options.reason}`)
    return 0
  })
}

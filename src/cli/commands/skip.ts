import { skip } from '../../actions/skip-slot.ts'
import type { GlobalOptions } from '../../cli.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { personNamed } from '../../project/people.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `skip NAME:AS-OF --reason`: skips a slot and closes its incident. */
export default function skipCommand(
  [text = '']: string[],
  options: GlobalOptions & { reason: string; by?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const by = personNamed(project, options.by)
    const [name = '', label = ''] = text.split(/:(.*)/s)
    const kind =
      project.models[name] !== undefined
        ? 'scores'
        : project.views[name] !== undefined
          ? 'features'
          : undefined
    if (kind === undefined) {
      const names = [...Object.keys(project.models), ...Object.keys(project.views)]
      throw new ConfigurationError(
        `skip: expected NAME:AS-OF with a model or view of this project (${names.join(', ')}), got: ${text}`,
      )
    }
    const found = await findSlot(database.pool, kind, name, parseAsOf(label, project.timezone).label)
    if (found === undefined)
      throw new ConfigurationError(`skip: there is no slot ${text}: \`nightshift status\` lists them`)
    await skip({ database, project: () => project, clock: ledgerClock(database) }, found, {
      reason: options.reason,
      by,
    })
    await postIfAlone(session)
    if (options.json)
      printJson({ slot: text, kind, name, as_of: found.partition, state: 'skipped', reason: options.reason })
    else printLine(`${text} is skipped: ${options.reason}`)
    return 0
  })
}

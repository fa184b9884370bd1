import type { GlobalOptions } from '../cli.ts'
import { localTime } from '../project/local-time.ts'
import { historyOf } from '../registry/history.ts'
import { modelNamed } from './find.ts'
import { printJson, printLine, printTable } from './print.ts'
import { withSession } from './session.ts'

export default function history([name = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const entries = await historyOf(database.pool, model.name)
    if (options.json) printJson(entries)
    else if (entries.length === 0) printLine(`nothing happened to ${model.name} yet`)
    else {
      printTable(
        ['at', 'event', 'version', 'from', 'by', 'reason'],
        entries.map((entry) => [
          localTime(entry.at, project.timezone),
          entry.event,
          entry.version,
          entry.from_version,
          entry.by,
          entry.reason,
        ]),
      )
    }
    return 0
  })
}

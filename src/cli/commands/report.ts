import { join, resolve } from 'node:path'
import { withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { modelNamed } from '../../project/named.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { nightReport } from '../../web/night-report.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson } from '../terminal/print.ts'
import { printWritten, writePage } from '../terminal/written-page.ts'

interface Options extends GlobalOptions {
  asOf: string
  out?: string
}

/** `report MODEL --as-of D`: writes one HTML file of the night, by default `reports/<model>-<as-of>.html` in the project. */
export default function report([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const asOf = parseAsOf(options.asOf, project.timezone)
    const text = await nightReport(
      { database, project: () => project },
      model,
      asOf,
      await ledgerNow(database.pool),
    )
    const file =
      options.out === undefined
        ? join(project.root, 'reports', `${model.name}-${asOf.label}.html`)
        : resolve(options.out)
    const written = writePage(project, file, text)
    if (options.json) printJson({ model: model.name, as_of: asOf.label, path: written.path })
    else printWritten(written)
    return 0
  })
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { GlobalOptions } from '../../cli.ts'
import { bytes } from '../../format/sizes.ts'
import { withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { modelNamed } from '../../project/named.ts'
import type { Project } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { nightReport } from '../../web/night-report.ts'
import { printJson, printLine } from '../terminal/print.ts'

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
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    const path = fromProject(project, file)
    if (options.json) printJson({ model: model.name, as_of: asOf.label, path })
    else printLine(`${file}: ${bytes(Buffer.byteLength(text))}, one self-contained file`)
    return 0
  })
}

/** Relative to the project if the file is inside it. */
function fromProject({ root }: Project, file: string): string {
  const path = relative(root, file)
  return path.startsWith('..') || isAbsolute(path) ? file : path
}

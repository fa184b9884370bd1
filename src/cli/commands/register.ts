import { type Registered, registerVersion } from '../../actions/register-version.ts'
import { type Session, withSession } from '../../host/session.ts'
import { unknownText } from '../../pipeline/scoring/judge-unknown.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { champion } from '../../registry/version-records.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  asOf?: string
  dataset?: string
  by?: string
}

export default function registerCommand([name = '', file = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project } = session
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const { asOf, dataset } = options
    const result = await registerVersion(session, model, file, { asOf, dataset, by })
    if (options.json) printJson(result)
    else await printRegistered(session, result)
    return 0
  })
}

async function printRegistered({ database }: Session, result: Registered): Promise<void> {
  printLine(
    result.known
      ? `this file is version ${result.version} of ${result.model} already${result.restored ? '; it is back in the warehouse, where it was gone or changed' : ''}`
      : `registered version ${result.version} of ${result.model}, tested on ${result.tried} real rows`,
  )
  printLine(`  sha256  ${result.sha256}`)
  printLine(`  inputs  ${result.inputs.join(', ')}`)
  printLine(`  score   ${result.score}`)
  const unknown = result.unknown_values.map(unknownText)
  for (const text of unknown) printLine(`  values  ${text}`)
  for (const column of result.unread) {
    printLine(
      `  values  ${column}: the file does not list the values the model knows; unknown values are not counted`,
    )
  }
  for (const warning of result.warnings) if (!unknown.includes(warning)) printLine(`  warning ${warning}`)
  const live = await champion(database.pool, result.model)
  if (live?.version !== result.version) {
    printLine(
      `next: nightshift run ${result.model} --as-of latest --version ${result.version} (scores a night for yourself), nightshift check ${result.model} --version ${result.version}`,
    )
  }
}

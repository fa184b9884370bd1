import { accept } from '../../actions/add-to-evidence.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `accept MODEL --by WHO`: somebody other than the owner takes the model over. */
export default function acceptCommand(
  [name = '']: string[],
  options: GlobalOptions & { by: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const model = modelNamed(session.project, name)
    const { version, by } = await accept(session, model, personNamed(session.project, options.by) ?? '')
    if (options.json) printJson({ model: name, version, by })
    else printLine(`${by} has accepted ${name}${version === null ? '' : `, version ${version}`}`)
    return 0
  })
}

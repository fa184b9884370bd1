import { waive } from '../../actions/add-to-evidence.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  until: string
  reason: string
  by: string
}

/** `waive MODEL ITEM --until DATE --reason WHY --by WHO`. */
export default function waiveCommand([name = '', item = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const model = modelNamed(session.project, name)
    const by = personNamed(session.project, options.by) ?? ''
    const waiver = await waive(session, model, { item, until: options.until, reason: options.reason, by })
    if (options.json) printJson({ model: name, ...waiver })
    else
      printLine(
        `${waiver.item} of ${name} is waived until ${waiver.until} by ${waiver.by}; it does not count as a pass`,
      )
    return 0
  })
}

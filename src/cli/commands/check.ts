import { askGate } from '../../actions/ask-gate.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson } from '../terminal/print.ts'
import { printGate } from '../terminal/print-gate.ts'

interface Options extends GlobalOptions {
  version?: number
}

/** `check MODEL [--version N]`: exit 1 if the version is not ready. */
export default function checkCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const gate = await withChild(project, (children) =>
      askGate({ project, database }, model, options.version, children),
    )
    if (options.json) printJson(gate)
    else printGate(gate, options.simulation)
    return gate.ready ? 0 : 1
  })
}

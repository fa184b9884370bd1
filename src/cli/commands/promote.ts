import { promoteVersion } from '../../actions/promote-version.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { authorNamed } from '../../project/people.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'
import { printGate } from '../terminal/print-gate.ts'

interface Options extends GlobalOptions {
  version: number
  override?: string
  reason?: string
  by?: string
}

export default function promoteCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const by = authorNamed(project, options.by, 'promote')
    const { version, reason } = options
    const request = { version, by, reason, override: options.override ?? null }
    const { done, refused } = await withChild(project, (children) =>
      promoteVersion({ project, database }, model, request, children),
    )
    if (refused !== undefined) {
      if (options.json) printJson(refused)
      else {
        printGate(refused, options.simulation)
        printLine(
          `version ${options.version} is not promoted: do what is named above, or promote it all the same with --override REASON --by WHO`,
        )
      }
      return 1
    }
    await postIfAlone(session)
    const result = { ...done, rescored: 0 }
    if (options.json) printJson(result)
    else if (result.from === result.to)
      printLine(`version ${result.to} of ${model.name} is the champion already`)
    else {
      printLine(
        `version ${result.to} of ${model.name} is the champion${result.from === null ? '' : `, version ${result.from} was`}`,
      )
      if (result.score !== null) printLine(`  score   ${result.score}`)
      for (const warning of result.warnings) printLine(`  warning ${warning}`)
      printLine(`next: nightshift run ${model.name} --as-of DATE`)
    }
    return 0
  })
}

import { join, resolve } from 'node:path'
import { askGate } from '../../actions/ask-gate.ts'
import { withSession } from '../../host/session.ts'
import { modelNamed } from '../../project/named.ts'
import { summaryOf } from '../../readiness/gate-on-record.ts'
import { champion } from '../../registry/version-records.ts'
import { handoffPage } from '../../web/handoff.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson } from '../terminal/print.ts'
import { printWritten, writePage } from '../terminal/written-page.ts'

interface Options extends GlobalOptions {
  version?: number
  out?: string
}

/** `handoff MODEL`: writes one HTML page, by default `reports/handoff-<model>.html` in the project. */
export default function handoff([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const live = await champion(database.pool, name)
    const gate = await withChild(project, (children) =>
      askGate({ project, database }, model, options.version ?? live?.version, children),
    )
    const text = await handoffPage({ database, project: () => project }, model, gate, new Date(gate.at))
    const out = options.out === undefined ? undefined : resolve(options.out)
    const written = writePage(project, out ?? join(project.root, 'reports', `handoff-${name}.html`), text)
    if (options.json) printJson({ model: name, version: gate.version, ready: gate.ready, path: written.path })
    else printWritten(written, summaryOf(gate))
    return 0
  })
}

import type { GlobalOptions } from '../cli.ts'
import { ConfigurationError } from '../project/problem.ts'
import { championChanges } from '../registry/history.ts'
import { promote } from '../registry/promote.ts'
import { champion } from '../registry/versions.ts'
import { modelNamed, personNamed } from './find.ts'
import { printJson, printLine } from './print.ts'
import { withSession } from './session.ts'

interface Options extends GlobalOptions {
  to?: number
  reason?: string
  by?: string
}

/** `rollback MODEL [--to N]`: the version that was champion before is champion again, from the next run on. */
export default function rollback([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const current = await champion(database.pool, model.name)
    const changes = await championChanges(database.pool, model.name)
    const before = changes.map((entry) => entry.version).findLast((version) => version !== current?.version)
    const to = options.to ?? before
    if (current === undefined || to === undefined) {
      throw new ConfigurationError(
        `rollback ${model.name}: no other version was champion before; name one with --to N`,
      )
    }
    const done = await promote(database, {
      model: model.name,
      version: to,
      expected: current.version,
      by,
      reason: options.reason ?? null,
      event: 'rolled back',
    })
    if (options.json) printJson({ ...done, rescored: 0 })
    else {
      printLine(`version ${done.to} of ${model.name} is the champion again, version ${done.from} was`)
      printLine(
        `published scores stay as they are; to score a night again: nightshift run ${model.name} --as-of DATE`,
      )
    }
    return 0
  })
}

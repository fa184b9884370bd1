import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { classDoubt, scoreTitle } from '../../pipeline/onnx/choose-class.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { promote } from '../../registry/champion.ts'
import { latestEvaluation } from '../../registry/evaluations.ts'
import { champion, findVersion } from '../../registry/version-records.ts'
import { authorNamed, modelNamed } from '../terminal/find.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  version: number
  override?: string
  by?: string
}

export default function promoteCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const model = modelNamed(project, name)
    const by = authorNamed(project, options.by, 'promote')
    if (options.override !== undefined && by === null) {
      throw new ConfigurationError(
        'promote: expected --by WHO together with --override: an override is recorded with its author',
      )
    }
    const current = await champion(database.pool, model.name)
    const done = await promote(database, {
      model: model.name,
      version: options.version,
      expected: current?.version ?? null,
      by,
      reason: options.override ?? null,
      event: 'promoted',
      evidence: await evidenceFor(database, model.name, options.version),
    })
    const version = await findVersion(database.pool, model.name, done.to)
    const score = version === undefined ? null : scoreTitle(version.mapping.output)
    const doubt = version && classDoubt(version.mapping.output, model.onnx)
    const result = { ...done, rescored: 0, score, warnings: doubt === undefined ? [] : [doubt] }
    if (options.json) printJson(result)
    else if (done.from === done.to) printLine(`version ${done.to} of ${model.name} is the champion already`)
    else {
      printLine(
        `version ${done.to} of ${model.name} is the champion${done.from === null ? '' : `, version ${done.from} was`}`,
      )
      if (score !== null) printLine(`  score   ${score}`)
      for (const warning of result.warnings) printLine(`  warning ${warning}`)
      printLine(`next: nightshift run ${model.name} --as-of DATE`)
    }
    return 0
  })
}

/** The latest evaluation of the version when it was promoted. */
async function evidenceFor(
  { pool }: Database,
  model: string,
  version: number,
): Promise<Record<string, unknown>> {
  const evaluation = await latestEvaluation(pool, model, version)
  if (evaluation === undefined) return { evaluation: 'none' }
  const { id, dataset, passed } = evaluation
  return { evaluation: `${passed ? 'passed' : 'not passed'} on training set ${dataset}`, evaluation_id: id }
}

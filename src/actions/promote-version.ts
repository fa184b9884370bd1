import type { Database } from '../ledger/connection/database.ts'
import { classDoubt, scoreTitle } from '../pipeline/onnx/score-output.ts'
import type { Model } from '../project/project.ts'
import { promote } from '../registry/champion.ts'
import { latestEvaluation } from '../registry/evaluations.ts'
import { champion, findVersion } from '../registry/version-records.ts'

export interface Promotion extends Awaited<ReturnType<typeof promote>> {
  /** The meaning of the version's score; null if the version is unknown. */
  score: string | null
  warnings: string[]
}

/** Makes a version the champion and records what was known about it. `reason`: why a person overrides the gate. */
export async function promoteVersion(
  database: Database,
  model: Model,
  { version, by, reason }: { version: number; by: string | null; reason: string | null },
): Promise<Promotion> {
  const current = await champion(database.pool, model.name)
  const done = await promote(database, {
    model: model.name,
    version,
    expected: current?.version ?? null,
    by,
    reason,
    event: 'promoted',
    evidence: await evidenceFor(database, model.name, version),
  })
  const promoted = await findVersion(database.pool, model.name, done.to)
  const doubt = promoted && classDoubt(promoted.mapping.output, model.onnx)
  return {
    ...done,
    score: promoted === undefined ? null : scoreTitle(promoted.mapping.output),
    warnings: doubt === undefined ? [] : [doubt],
  }
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

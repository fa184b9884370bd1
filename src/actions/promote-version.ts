import type { Database } from '../ledger/connection/database.ts'
import { classDoubt, scoreTitle } from '../pipeline/onnx/choose-class.ts'
import type { Model } from '../project/project.ts'
import { promote } from '../registry/champion.ts'
import { latestEvaluation } from '../registry/evaluations.ts'
import { champion, findVersion } from '../registry/version-records.ts'

export interface Promotion extends Awaited<ReturnType<typeof promote>> {
  /** What the score of the version means; null where the version is not known. */
  score: string | null
  warnings: string[]
}

/** Makes a version the champion, on record with what was known of it. `reason`: why, where a person overrides. */
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

import { authorHere } from '../ledger/identity/author.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import { recordReview } from '../readiness/runbook/reviews.ts'
import { type RunbookFile, readRunbook } from '../readiness/runbook/runbook-file.ts'
import type { ProjectLedger } from './project-ledger.ts'

/**
 * Records that somebody has read a model's runbook as it is now. Another text needs another review. Throws a
 * ConfigurationError if there is no file to read.
 */
export async function reviewRunbook(
  { project, database }: ProjectLedger,
  model: Model,
  by: string,
): Promise<RunbookFile> {
  const file = readRunbook(project, model)
  if (typeof file === 'string') throw new ConfigurationError(`runbook review ${model.name}: ${file}`)
  await recordReview(database.pool, { model: model.name, sha256: file.sha256, ...authorHere(by), by })
  return file
}

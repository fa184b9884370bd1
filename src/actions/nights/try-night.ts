import { publishedRun } from '../../ledger/nights/published.ts'
import { newRunId } from '../../ledger/nights/run-records.ts'
import { inOwnFolder } from '../../monitoring/monitor-job.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { trialPath } from '../../pipeline/partition/partition-files.ts'
import { viewNamed } from '../../project/named.ts'
import { shownFile } from '../../project/object-path.ts'
import type { Model } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { findVersion, refuseUnregistered, type Version } from '../../registry/version-records.ts'
import { placeNew } from '../../storage/warehouse-files.ts'
import { changedFeatures, scoreRequest } from '../../workers/attempt/resolve.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { ProjectLedger } from '../project-ledger.ts'

/** The scores of a version that is not live, beside everything that readers see. */
export interface TriedNight {
  name: string
  as_of: string
  version: number
  /** Published features that were scored. */
  features_run: string
  rows: number
  /** Relative to the project. */
  path: string
  /** Of the finite scores; undefined where there are none. */
  summary: { mean: number | undefined; min: number | undefined; max: number | undefined }
  warnings: string[]
}

/** The version to try. Throws a ConfigurationError that lists the registered ones if it is none of them. */
export async function versionToTry(
  { database }: ProjectLedger,
  model: Model,
  number: number,
): Promise<Version> {
  await refuseUnregistered(database.pool, 'run', model.name, number)
  const version = await findVersion(database.pool, model.name, number)
  if (version === undefined) throw new Error(`expected version ${number} of ${model.name} to be registered`)
  return version
}

/**
 * Scores the published features of a night with any version, into `warehouse/trials/`. Publishes nothing, and leaves no
 * trace in the ledger: nothing counts it as a night. Throws Failures: `contract` where the features are of another
 * definition than the version's, `model` where the scores break an expectation.
 */
export async function tryNight(
  { project, database }: ProjectLedger,
  model: Model,
  version: Version,
  asOf: AsOf,
): Promise<TriedNight> {
  const { warehouse } = project
  const view = viewNamed(project, version.view)
  const features = await publishedRun(database.pool, 'features', view.name, asOf.label)
  if (features === undefined) {
    throw new Failure('transient', `view ${view.name} has no published features as of ${asOf.label}`)
  }
  if (features.view_hash !== version.view_hash) throw changedFeatures(project, version, features)
  return withChild(project, (children) =>
    inOwnFolder(warehouse, 'trial', async (folder) => {
      const scoring = { project, model, version, view, features, run: newRunId(), folder }
      const request = await scoreRequest({ warehouse, database }, scoring)
      const { file, summary, checks, warnings } = await children.run('scores', request)
      const broken = checks.find(({ passed }) => !passed)
      if (broken !== undefined) throw new Failure('model', broken.message)
      const target = trialPath(warehouse, model.name, version.version, asOf.label)
      await placeNew(folder, target)
      return {
        name: model.name,
        as_of: asOf.label,
        version: version.version,
        features_run: features.id,
        rows: file.rows,
        path: shownFile(project.root, target.file),
        summary,
        warnings,
      }
    }),
  )
}

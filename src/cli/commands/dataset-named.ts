import { type Dataset, readDataset } from '../pipeline/dataset/read.ts'
import { currentHash } from '../registry/view-identity.ts'
import type { Session } from './session.ts'

/** A training set, whose manifest names its view as the ledger does now: one of an earlier build has another name for it. */
export async function datasetNamed(
  { project, database }: Pick<Session, 'project' | 'database'>,
  model: string,
  id: string,
): Promise<Dataset> {
  const dataset = await readDataset(project.warehouse, model, id)
  const view_hash = await currentHash(database.pool, dataset.manifest.view_hash)
  return { ...dataset, manifest: { ...dataset.manifest, view_hash } }
}

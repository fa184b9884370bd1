import type { Dataset } from '../pipeline/dataset/read-dataset.ts'
import { currentHash } from '../registry/view-identity.ts'
import { storedDataset } from '../storage/stored-dataset.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** A training set whose manifest has the view hash that the ledger uses now: an earlier build stored another hash. */
export async function datasetNamed(
  { project, database }: ProjectLedger,
  model: string,
  id: string,
): Promise<Dataset> {
  const dataset = await storedDataset(project.warehouse, model, id)
  const view_hash = await currentHash(database.pool, dataset.manifest.view_hash)
  return { ...dataset, manifest: { ...dataset.manifest, view_hash } }
}

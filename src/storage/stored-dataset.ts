import { type Dataset, datasetsFolder, readDataset } from '../pipeline/dataset/read-dataset.ts'
import { fetchFolder } from './warehouse-files.ts'

/** A training set by its id, or by the beginning of one, wherever it was made. Throws a ConfigurationError that lists the candidates. */
export async function storedDataset(warehouse: string, model: string, id: string): Promise<Dataset> {
  await fetchFolder(datasetsFolder(warehouse, model), (name) => name.endsWith('/manifest.json'))
  return await readDataset(warehouse, model, id)
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST } from '../pipeline/dataset/manifest.ts'
import { type Dataset, datasetsFolder, readDataset } from '../pipeline/dataset/read-dataset.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { prefixOf } from '../project/object-path.ts'
import { missingFile } from './missing-file.ts'
import { openObjectStore } from './object-store.ts'
import { fetchFolder } from './warehouse-files.ts'

/**
 * A training set by its id, or by the beginning of one, wherever it was made. Throws a ConfigurationError that lists the
 * candidates, or says that its manifest is gone.
 */
export async function storedDataset(warehouse: string, model: string, id: string): Promise<Dataset> {
  const folder = datasetsFolder(warehouse, model)
  await fetchFolder(folder, (name) => name.endsWith(`/${MANIFEST}`))
  try {
    return await readDataset(warehouse, model, id)
  } catch (error) {
    const manifest = join(folder, id, MANIFEST)
    if (!/^\w+$/.test(id) || existsSync(manifest) || !(await isAnythingIn(join(folder, id)))) throw error
    const message = `--dataset: training set ${id} of ${model} is incomplete: ${missingFile(warehouse, manifest)}`
    throw new ConfigurationError(message)
  }
}

async function isAnythingIn(folder: string): Promise<boolean> {
  const place = prefixOf(folder)
  if (place === undefined) return existsSync(folder)
  const store = await openObjectStore()
  for await (const page of store.list(place.bucket, place.prefix)) if (page.length > 0) return true
  return false
}

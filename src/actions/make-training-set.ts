import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { DatasetFacts } from '../pipeline/dataset/build-dataset.ts'
import { openBuilding } from '../pipeline/dataset/building.ts'
import type { DatasetRequest } from '../pipeline/dataset/dataset-request.ts'
import { incompleteWarning, MANIFEST } from '../pipeline/dataset/manifest.ts'
import { datasetsFolder } from '../pipeline/dataset/read-dataset.ts'
import { ownVersion } from '../program/own-files.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { viewNamed } from '../project/named.ts'
import type { Model, Project } from '../project/project.ts'
import { fetchFolder, isStored, isThere, storeFiles } from '../storage/warehouse-files.ts'
import type { Children } from '../workers/child/children.ts'
import type { Progress } from '../workers/child/tasks.ts'

/** Which rows a training set has, and which of them are held out. */
export type TrainingRows = Pick<DatasetRequest, 'asOfs' | 'entities' | 'holdoutFrom' | 'holdoutGroups'>

/**
 * Builds the training set of a model from these as-ofs, or finds that it exists. The caller records the use of the view's
 * definition (`recordUse`), where there is a ledger. Throws a ConfigurationError if the model has no labels.
 */
export async function makeTrainingSet(
  { project, children }: { project: Project; children: Children },
  model: Model,
  { now, ...chosen }: TrainingRows & { now: Date },
  { signal, progress }: { signal?: AbortSignal; progress?: Progress } = {},
): Promise<DatasetFacts> {
  const view = viewNamed(project, model.view)
  const { labels } = model
  if (labels === undefined) {
    throw new ConfigurationError(
      `dataset: model ${model.name} has no labels: expected \`labels: { sql: labels.sql, horizon: 30d }\` in models/${model.name}/model.yaml`,
    )
  }
  const datasets = datasetsFolder(project.warehouse, model.name)
  const isElsewhere = isStored(datasets)
  // For a bucket it is made in a folder of this machine, whatever others are there.
  const folder = isElsewhere ? join(project.warehouse, '.attempts', `dataset-${randomUUID()}`) : datasets
  const building = await openBuilding(folder)
  try {
    const facts = await children.run(
      'dataset',
      {
        root: project.root,
        model: model.name,
        view,
        sources: model.sources,
        labels,
        ...chosen,
        timezone: project.timezone,
        now: now.toISOString(),
        folder,
        building: building.path,
        threads: availableParallelism(),
        release: ownVersion(),
      },
      { ...(signal === undefined ? {} : { signal }), ...(progress === undefined ? {} : { progress }) },
    )
    return isElsewhere ? await store(facts, join(datasets, facts.manifest.id)) : facts
  } finally {
    await building.remove()
    if (isElsewhere) await rm(folder, { recursive: true, force: true })
  }
}

/** Puts a training set into the bucket, or what is missing of it there, and its files to where they are read on this machine. */
async function store(facts: DatasetFacts, folder: string): Promise<DatasetFacts> {
  const names = (await readdir(facts.folder)).filter((name) => name !== MANIFEST)
  const missing: string[] = []
  for (const name of [...names, MANIFEST]) if (!(await isThere(join(folder, name)))) missing.push(name)
  await storeFiles(facts.folder, folder, missing)
  await fetchFolder(folder)
  const isNew = missing.length > names.length
  const warnings = [...facts.warnings, ...(isNew ? [] : incompleteWarning(facts.manifest.id, missing))]
  return { ...facts, folder, known: missing.length === 0, warnings }
}

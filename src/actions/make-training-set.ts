import { availableParallelism } from 'node:os'
import type { DatasetFacts } from '../pipeline/dataset/build-dataset.ts'
import { openBuilding } from '../pipeline/dataset/building.ts'
import type { DatasetRequest } from '../pipeline/dataset/dataset-request.ts'
import { datasetsFolder } from '../pipeline/dataset/read-dataset.ts'
import { ownVersion } from '../program/own-files.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { viewNamed } from '../project/named.ts'
import type { Model, Project } from '../project/project.ts'
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
  const folder = datasetsFolder(project.warehouse, model.name)
  const building = await openBuilding(folder)
  try {
    return await children.run(
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
  } finally {
    await building.remove()
  }
}

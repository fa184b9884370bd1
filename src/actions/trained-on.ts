import type { Dataset } from '../pipeline/dataset/read-dataset.ts'
import type { Column, Identity } from '../pipeline/engine/facts.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model, View } from '../project/project.ts'
import { changedView, describeChange } from '../registry/changed-view.ts'
import { listVersions } from '../registry/version-records.ts'
import { isSameView } from '../registry/view-identity.ts'
import { datasetNamed } from './dataset-named.ts'
import type { ProjectLedger } from './project-ledger.ts'

/**
 * The training set named by `--dataset`; undefined if none is named. Its features must match the current view, including
 * the columns and their order.
 */
export async function trainedOn(
  { project, database }: ProjectLedger,
  { name }: Model,
  now: { view: View; identity: Identity; columns: Column[] },
  id: string | undefined,
): Promise<Dataset | undefined> {
  if (id === undefined) return undefined
  const { view, identity, columns } = now
  const dataset = await datasetNamed({ project, database }, name, id)
  const { manifest } = dataset
  if (manifest.view !== view.name) {
    throw new ConfigurationError(
      `register: expected a training set of view ${view.name}, which models/${name}/model.yaml names, got: ${manifest.id}, which is of view ${manifest.view}`,
    )
  }
  if (!isSameView(manifest.view_hash, identity)) {
    const versions = await listVersions(database.pool, name)
    const same = versions.find((version) => version.view_hash === manifest.view_hash)
    const change = changedView(
      project,
      {
        who: `training set ${manifest.id} was made by`,
        model: name,
        view: view.name,
        hash: manifest.view_hash,
        sql: manifest.features_sql ?? same?.features_sql ?? null,
        declaration: same?.declaration ?? null,
      },
      { what: 'the view on disk is', hash: identity.viewHash },
    )
    throw new ConfigurationError(`register: ${describeChange(change)}`)
  }
  if (texts(manifest.features) === texts(columns)) return dataset
  throw new ConfigurationError(
    `register: expected the columns of training set ${manifest.id} in its order (${texts(manifest.features)}), got from view ${view.name} now: ${texts(columns)}; ` +
      `the files of a source have changed: rebuild the training set with nightshift dataset ${name}`,
  )
}

function texts(columns: Column[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ')
}

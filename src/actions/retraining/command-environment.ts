import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatasetFacts } from '../../pipeline/dataset/build-dataset.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Model, Project } from '../../project/project.ts'

/** What every program needs to be found and to run alike everywhere; none of these is a secret. */
const ALWAYS = ['PATH', 'TMPDIR', 'LANG', 'TZ'] as const

/**
 * The variables of a training command: what it is to do, those that every program needs, and those of the worker that
 * `retrain.env` names. Nothing else of the worker's environment.
 */
export function commandEnvironment(
  project: Project,
  model: Model,
  { manifest, folder }: DatasetFacts,
  out: string,
  variables: Record<string, string | undefined>,
): Record<string, string> {
  const inherited = [...ALWAYS, ...(model.retrain?.env ?? [])].flatMap((name) => {
    const value = variables[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(inherited),
    NIGHTSHIFT_PROJECT: project.root,
    NIGHTSHIFT_MODEL: model.name,
    NIGHTSHIFT_DATASET: manifest.id,
    NIGHTSHIFT_TRAIN: join(folder, 'train.parquet'),
    NIGHTSHIFT_MANIFEST: join(folder, 'manifest.json'),
    NIGHTSHIFT_INPUTS: JSON.stringify(model.inputs ?? manifest.features.map(({ name }) => name)),
    NIGHTSHIFT_LABEL: manifest.label.column,
    NIGHTSHIFT_OUT: out,
  }
}

/** Throws a `contract` Failure where a declared variable is not set in this process. */
export function refuseUnset({ name, retrain }: Model, variables: Record<string, string | undefined>): void {
  const unset = (retrain?.env ?? []).filter((each) => variables[each] === undefined)
  if (unset.length === 0) return
  throw new Failure(
    'contract',
    `retrain.env in models/${name}/model.yaml: expected ${unset.join(', ')} to be set where the worker (or this command) runs, got: unset`,
  )
}

/** Why there is no file where the command was to write it. */
export function missingFile(out: string): Failure | undefined {
  const stat = statSync(out, { throwIfNoEntry: false })
  if (stat?.isFile() === true && stat.size > 0) return undefined
  const got = stat === undefined ? 'no file' : stat.isFile() ? 'an empty file' : 'something that is no file'
  return new Failure(
    'contract',
    `the command ended well: expected the ONNX file at the path in NIGHTSHIFT_OUT (${out}), got: ${got}`,
  )
}

import { relative } from 'node:path'
import { didYouMean } from '../project/nearest.ts'
import type { Problem } from '../project/problem.ts'
import type { Model, Project } from '../project/project.ts'
import type { DescribedViews } from './check-views.ts'

/** Compares what models take with what their views give. */
export function checkModels(project: Project, views: DescribedViews): Problem[] {
  return Object.values(project.models).flatMap((model) => {
    const view = views[model.view]
    if (view === undefined) return []
    const columns = view.columns.map((column) => column.name)
    return [...unknownColumns(project, model, 'inputs', model.inputs, columns)]
      .concat(unknownColumns(project, model, 'drift.columns', model.drift.columns, columns))
      .concat(unknownColumns(project, model, 'onnx.inputs', Object.values(model.onnx.inputs), columns))
      .concat(unknownColumns(project, model, 'evaluation.segments', model.evaluation.segments, columns))
  })
}

function unknownColumns(
  project: Project,
  model: Model,
  key: string,
  named: string[] | undefined,
  columns: string[],
): Problem[] {
  return (named ?? [])
    .filter((name) => !columns.includes(name))
    .map((name) => ({
      severity: 'error',
      file: relative(project.root, `${model.folder}/model.yaml`),
      line: undefined,
      column: undefined,
      message: `${key}: expected columns of view ${model.view} (${columns.join(', ')}), got: ${name}${didYouMean(name, columns)}`,
    }))
}

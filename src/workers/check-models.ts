import { relative } from 'node:path'
import { didYouMean } from '../project/nearest.ts'
import type { Problem } from '../project/problem.ts'
import type { Model, Project } from '../project/project.ts'
import { readYaml } from '../project/yaml-file.ts'
import type { DescribedViews } from './check-views.ts'

/** Compares what models take with what their views give. */
export function checkModels(project: Project, views: DescribedViews): Problem[] {
  return Object.values(project.models).flatMap((model) => {
    const view = views[model.view]
    return view === undefined
      ? []
      : checkModel(
          project,
          model,
          view.columns.map((column) => column.name),
        )
  })
}

function checkModel(project: Project, model: Model, columns: string[]): Problem[] {
  const file = relative(project.root, `${model.folder}/model.yaml`)
  const yaml = readYaml(project.root, file, `model: ${model.name}`)
  const entity = new Set(project.views[model.view]?.entity)
  const check = (path: string[], names: [PropertyKey, string][], legal: string[]): Problem[] =>
    names
      .filter(([, name]) => !legal.includes(name))
      .map(([key, name]) => ({
        severity: 'error',
        file,
        ...yaml.place([...path, key]),
        message: `${path.join('.')}: expected columns of view ${model.view} (${legal.join(', ')}), got: ${name}${didYouMean(name, legal)}`,
      }))
  const features = columns.filter((name) => !entity.has(name))
  return [
    ...check(['inputs'], [...(model.inputs ?? []).entries()], features),
    ...check(['onnx', 'inputs'], Object.entries(model.onnx.inputs), features),
    ...check(['drift', 'columns'], [...(model.drift.columns ?? []).entries()], columns),
    ...check(['evaluation', 'segments'], [...model.evaluation.segments.entries()], columns),
  ]
}

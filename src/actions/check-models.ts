import { relative } from 'node:path'
import { checkOutcomes } from '../monitoring/outcomes/check-outcomes.ts'
import type { TimeReading } from '../pipeline/cut/time-readings.ts'
import { didYouMean } from '../project/files/nearest.ts'
import type { Problem } from '../project/files/problem.ts'
import { readYaml } from '../project/files/yaml-file.ts'
import type { Model, Project } from '../project/project.ts'
import { labelView } from '../project/time/label-window.ts'
import type { Children } from '../workers/child/children.ts'
import type { DescribedViews } from './check-views.ts'

/** Readings of the time columns of sources that labels and outcomes use, by view. */
export type ModelTimes = Record<string, TimeReading[]>

/**
 * Compares the inputs of models with the columns of their views, and binds the SQL of labels and outcomes to the same
 * sources. Reports sources that neither they nor features.sql read.
 */
export async function checkModels(
  project: Project,
  views: DescribedViews,
  children: Children,
): Promise<{ problems: Problem[]; times: ModelTimes }> {
  const problems: Problem[] = []
  const times: ModelTimes = {}
  const read = new Map(Object.entries(views).map(([name, { reads }]) => [name, new Set(reads)]))
  for (const model of Object.values(project.models)) {
    const described = views[model.view]
    // Without columns, the view's own problem is reported: the model may be correct.
    if (described !== undefined && described.columns.length > 0) {
      const columns = described.columns.map((column) => column.name)
      problems.push(...checkModel(project, model, columns))
    }
    const judged = await checkLabels(project, model, described, children)
    problems.push(...judged.problems)
    times[model.view] = [...(times[model.view] ?? []), ...judged.times]
    for (const name of judged.reads) read.get(model.view)?.add(name)
    problems.push(...unreadSources(project, model, new Set(judged.reads)))
  }
  return { problems: [...problems, ...unread(project, read)], times }
}

/** Binds the SQL of labels and outcomes of a model. Does nothing for a model without labels. */
export async function checkLabels(
  project: Project,
  model: Model,
  described: DescribedViews[string] | undefined,
  children: Children,
): Promise<{ problems: Problem[]; reads: string[]; times: TimeReading[] }> {
  const declared = project.views[model.view]
  if (model.labels === undefined || declared === undefined) return { problems: [], reads: [], times: [] }
  const { sql, sqlFile, kind } = model.labels
  const view = labelView(declared, model)
  const modelFile = relative(project.root, `${model.folder}/model.yaml`)
  const { root, timezone } = project
  const features = described?.columns ?? []
  const labels = await children.run('labels', {
    root,
    view,
    sql,
    sqlFile,
    kind,
    timezone,
    features,
    own: { sources: Object.keys(model.sources), file: modelFile },
  })
  const columns = { features, labels: labels.problems.length > 0 ? [] : labels.columns }
  const outcomes = await checkOutcomes({ project, model, view, children }, columns)
  return {
    problems: [...labels.problems, ...outcomes.problems],
    reads: [...labels.reads, ...outcomes.reads],
    times: [...labels.times, ...outcomes.times],
  }
}

/** The model's own sources that nothing reads. Without labels they do not count. */
function unreadSources(project: Project, model: Model, reads: Set<string>): Problem[] {
  const file = relative(project.root, `${model.folder}/model.yaml`)
  const names = Object.keys(model.sources).filter((name) => !reads.has(name))
  if (names.length === 0) return []
  const yaml = readYaml(project.root, file, `model: ${model.name}`)
  return names.map((name) => ({
    severity: 'advice',
    file,
    ...yaml.place(['sources', name]),
    message: `source ${name} is declared, but neither labels.sql nor outcomes read it`,
  }))
}

function unread(project: Project, read: Map<string, Set<string>>): Problem[] {
  return [...read].flatMap(([name, reads]) => {
    const view = project.views[name]
    if (view === undefined) return []
    const file = relative(project.root, `${view.folder}/view.yaml`)
    const yaml = readYaml(project.root, file, `view: ${name}`)
    return Object.keys(view.sources)
      .filter((source) => !reads.has(source))
      .map((source): Problem => {
        const message = `source ${source} is declared, but neither features.sql nor a model's labels.sql or outcomes read it`
        return { severity: 'advice', file, ...yaml.place(['sources', source]), message }
      })
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
        message: `${path.join('.')}: expected columns of view ${model.view} (${legal.join(', ')}), got: ${name}${entity.has(name) ? ', the entity' : didYouMean(name, legal)}`,
      }))
  const features = columns.filter((name) => !entity.has(name))
  return [
    ...check(['inputs'], [...(model.inputs ?? []).entries()], features),
    ...check(
      ['inputs'],
      Object.keys(model.unknown).map((name) => [name, name]),
      features,
    ),
    ...check(['onnx', 'inputs'], Object.entries(model.onnx.inputs), features),
    // The single column of an entity has a different value in every row; one of several columns may be a region.
    ...check(
      ['drift', 'columns'],
      [...(model.drift.columns ?? []).entries()],
      entity.size === 1 ? features : columns,
    ),
    ...check(['evaluation', 'segments'], [...model.evaluation.segments.entries()], columns),
  ]
}

import { join, relative } from 'node:path'
import type { TimeReading } from '../../pipeline/cut/time-readings.ts'
import type { Column } from '../../pipeline/engine/facts.ts'
import type { Problem } from '../../project/files/problem.ts'
import { readProjectFile } from '../../project/files/project-file.ts'
import { readYaml } from '../../project/files/yaml-file.ts'
import { placeInText } from '../../project/files/yaml-text.ts'
import type { Model, Project, View } from '../../project/project.ts'
import type { Children } from '../../workers/child/children.ts'

/**
 * Binds the SQL of `outcomes` as a night would run it: the groups to the sources, the metrics to the tables of a
 * night and the sources. Positions refer to model.yaml, which contains the SQL. Without the columns of view and
 * labels, whose own problems state the reason, the metrics are not checked. `reads` are the sources read. `view`
 * includes the sources of model.yaml.
 */
export async function checkOutcomes(
  { project, model, view, children }: { project: Project; model: Model; view: View; children: Children },
  { features, labels }: { features: Column[]; labels: Column[] },
): Promise<{ problems: Problem[]; reads: string[]; times: TimeReading[] }> {
  const { outcomes, score } = model
  if (outcomes === undefined) return { problems: [], reads: [], times: [] }
  const modelFile = join(model.folder, 'model.yaml')
  const locate = locator(project.root, relative(project.root, modelFile), model.name)
  const problems: Problem[] = []
  const reads: string[] = []
  const times: TimeReading[] = []
  for (const name of ['treated', 'control'] as const) {
    const sql = outcomes[name]
    if (sql === undefined) continue
    const { root, timezone } = project
    const bound = await children.run('labels', {
      root,
      view,
      sql,
      sqlFile: modelFile,
      timezone,
      gives: 'group',
      features,
      own: { sources: Object.keys(model.sources), file: relative(project.root, modelFile) },
    })
    problems.push(...bound.problems.map((problem) => locate(['outcomes', name], `outcomes.${name}`, problem)))
    reads.push(...bound.reads)
    times.push(...bound.times)
  }
  if (outcomes.metrics.length === 0) return { problems, reads, times }
  // It is not yet known what the metrics read.
  if (features.length === 0 || labels.length === 0)
    return { problems, reads: [...reads, ...Object.keys(model.sources)], times }
  const entity = features.filter(({ name }) => view.entity.includes(name))
  const bound = await children.run('metrics', {
    root: project.root,
    view,
    ownSources: Object.keys(model.sources),
    timezone: project.timezone,
    file: relative(project.root, modelFile),
    metrics: outcomes.metrics.map(({ name, sql }) => ({ name, sql })),
    tables: {
      scores: [
        ...entity,
        { name: score.column, type: 'DOUBLE' },
        ...(score.threshold === undefined ? [] : [{ name: 'decision', type: 'BOOLEAN' }]),
        { name: 'version', type: 'INTEGER' },
      ],
      labels,
      treated: entity,
      control: entity,
      features,
    },
  })
  reads.push(...bound.reads)
  bound.problems.forEach((own, index) => {
    const name = outcomes.metrics[index]?.name ?? ''
    problems.push(
      ...own.map((problem) =>
        locate(['outcomes', 'metrics', index, 'sql'], `outcomes.metrics ${name}`, problem),
      ),
    )
  })
  return { problems, reads, times }
}

/** Maps a problem's position in the SQL to its position in the file. */
function locator(root: string, file: string, model: string) {
  const yaml = readYaml(root, file, `model: ${model}`)
  const text = readProjectFile(root, file)
  return (path: PropertyKey[], what: string, problem: Problem): Problem => {
    const at = yaml.place(path)
    const { line, column } = problem
    const position =
      line === undefined || column === undefined || typeof text !== 'string'
        ? at
        : placeInText(text, at, { line, column })
    return { ...problem, file, ...position, message: `${what}: ${problem.message}` }
  }
}

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Problem } from '../../project/files/problem.ts'
import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import type { LabelKind } from '../../project/rules/label-kind.ts'
import { LAST } from '../cut/cut.ts'
import { type TimeReading, timeReadings } from '../cut/time-readings.ts'
import { classify } from '../engine/classify.ts'
import type { Column } from '../engine/facts.ts'
import { describeOutput, problemAt } from '../features/describe-output.ts'
import { sourceProblem } from '../features/describe-view.ts'
import { entityTypeFault } from '../features/entity-types.ts'
import { groupFault } from '../outcomes/groups.ts'
import type { CutQuery } from '../sql/cut-query.ts'
import { parseAlone, sourcesRead } from '../sql/parse-alone.ts'
import { itemOf } from '../sql/select-list.ts'
import { openLabelQuery } from './label-query.ts'
import { labelConstantsFault, labelTypeFault } from './label-values.ts'

export interface LabelsRequest {
  /** Absolute path of the project. */
  root: string
  /** Whose sources the SQL sees, and whose entity it is joined by. */
  view: View
  sql: string
  sqlFile: string
  timezone: string
  /** What the model predicts. Default: unsaid. */
  kind?: LabelKind
  /** A group is entities alone, where labels have one more column. Default: labels. */
  gives?: 'labels' | 'group'
  /** The view's columns, whose entity it is joined to; none where they are not known. */
  features?: Column[]
  /** Names of model.yaml's own sources, and its path: problems with them are reported here. */
  own?: { sources: string[]; file: string }
}

export interface LabelsDescription {
  columns: Column[]
  problems: Problem[]
  /** Sources that the SQL reads; all, where it cannot be parsed. */
  reads: string[]
  /** Of the sources that the SQL reads. */
  times: TimeReading[]
}

/**
 * What a model's labels (or a group of its entities) look like, and what is wrong with them, from the SQL and the
 * sources' schemas alone: the entity and one more column, or the entity alone. What is
 * wrong with a source of the view is reported with the view.
 */
export async function describeLabels(request: LabelsRequest): Promise<LabelsDescription> {
  const { root, view, timezone } = request
  const file = showPath(root, request.sqlFile)
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-describe-')))
  try {
    const reads = sourcesRead(
      await parseAlone(root, { ...request, sources: view.sources }, timezone, temp),
      view,
    )
    return { ...(await describe(request, file, temp)), reads }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function describe(
  request: LabelsRequest,
  file: string,
  temp: string,
): Promise<Omit<LabelsDescription, 'reads'>> {
  const { root, view, timezone } = request
  try {
    const query = await openLabelQuery(
      { root, view, timezone, now: LAST.instant, temp, threads: 1 },
      request,
      { end: LAST, complete: LAST.instant, asOf: undefined },
    )
    try {
      const refused = query.checked.problems.filter(({ severity }) => severity === 'error')
      const times = timeReadings(query.tables)
      if (refused.length > 0) return { columns: [], problems: refused, times }
      // What view.yaml declares about columns, the entity included, is about features.sql.
      const bare: View = {
        ...view,
        entity: [],
        columns: {},
        fill: {},
        expect: { rows: undefined, fresh: {} },
      }
      const { columns, problems } = await describeOutput(query, bare, { sql: file, yaml: file })
      const errors = problems.filter(({ severity }) => severity === 'error')
      return {
        columns,
        problems: errors.length > 0 ? errors : shapeProblems(query, columns, request, file),
        times,
      }
    } finally {
      query.close()
    }
  } catch (error) {
    const failure = classify(error)
    if (failure.failureClass !== 'contract' && failure.failureClass !== 'late-data') throw error
    const { own } = request
    const isOwn = own?.sources.some((name) => name === failure.evidence?.source)
    return {
      columns: [],
      times: [],
      problems: isOwn && own !== undefined ? [sourceProblem(error, own.file)] : [],
    }
  }
}

function shapeProblems(
  query: CutQuery,
  columns: Column[],
  { view: { entity }, gives, kind = 'unsaid', features = [] }: LabelsRequest,
  file: string,
): Problem[] {
  const names = columns.map(({ name }) => name)
  const fault = gives === 'group' ? groupFault(names, entity) : labelsFault(names, entity)
  if (fault !== undefined)
    return [{ severity: 'error', file, line: undefined, column: undefined, message: fault }]
  return columns.flatMap((column, index) => {
    const node = itemOf(query.checked.tree, column.name, index)
    const wrong = entity.includes(column.name)
      ? entityTypeFault(column, features)
      : (labelTypeFault(column) ?? labelConstantsFault(column, node, kind))
    return wrong === undefined ? [] : [problemAt(query, file, 'error', node, wrong)]
  })
}

function labelsFault(names: string[], entity: string[]): string | undefined {
  const wanted = `expected the entity (${entity.join(', ')}) and one more column, the label`
  if (entity.some((name) => !names.includes(name))) return `${wanted}, got: ${names.join(', ')}`
  const labels = names.filter((name) => !entity.includes(name))
  if (labels.length === 1) return undefined
  const found = labels.length === 0 ? 'no other' : `${labels.length} others: ${labels.join(', ')}`
  return `${wanted}, got: ${found}`
}

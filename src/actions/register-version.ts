import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { storeHoldout } from '../monitoring/drift/baseline-for.ts'
import type { Column } from '../pipeline/engine/facts.ts'
import type { ModelFacts } from '../pipeline/onnx/inspect.ts'
import { type MappingPlan, planMapping } from '../pipeline/onnx/mapping.ts'
import { scoreTitle } from '../pipeline/onnx/score-output.ts'
import { formatProblems } from '../project/files/format-problems.ts'
import { ConfigurationError, type Problem } from '../project/files/problem.ts'
import { viewNamed } from '../project/named.ts'
import type { Model, View } from '../project/project.ts'
import { declarationOf } from '../registry/declaration.ts'
import { register } from '../registry/record-version.ts'
import type { Children } from '../workers/child/children.ts'
import { withChild } from '../workers/child/with-child.ts'
import type { ProjectLedger } from './project-ledger.ts'
import { trainedOn } from './trained-on.ts'
import { tryModel } from './try-model.ts'

export interface Registration {
  /** The as-of of the features on which the model is tested; default: the newest published. */
  asOf?: string | undefined
  /** The training set. */
  dataset?: string | undefined
  by: string | null
}

export type Registered = Awaited<ReturnType<typeof registerVersion>>

/**
 * Registers an ONNX file as the next version of a model: inspects it, maps it to the view, and tests it on real rows. A
 * file that is already registered keeps its number. Throws a ConfigurationError that states what does not fit.
 */
export async function registerVersion(
  ledger: ProjectLedger,
  model: Model,
  file: string,
  request: Registration,
) {
  const { project, database } = ledger
  const path = existing(file)
  return withChild(project, async (children) => {
    const examined = await examineFile(ledger, children, model, path, request)
    const { view, facts, description, columns, training, dataset, inputs, mapping, trial, warnings } =
      examined
    const { version, known, restored } = await register(database, project.warehouse, {
      model: model.name,
      file: path,
      facts,
      view: view.name,
      identity: description,
      featuresSql: view.sql,
      columns,
      declaration: declarationOf(view, project.timezone),
      inputs: inputs.map((column) => column.name),
      output: mapping.output,
      mapping,
      dataset,
      warnings,
      by: request.by,
    })
    if (training !== undefined) {
      const trained = { model, version, dataset: training }
      await storeHoldout(database.pool, children, project, trained).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        warnings.push(`the holdout could not be stored as the baseline of this version: ${why}`)
      })
    }
    return {
      model: model.name,
      version: version.version,
      sha256: version.sha256,
      inputs: version.inputs,
      output: version.mapping.output,
      score: scoreTitle(version.mapping.output),
      warnings,
      dataset: version.dataset,
      known,
      restored,
      tried: trial.rows,
      unknown_values: trial.unknown,
      unread: trial.unread,
    }
  })
}

/**
 * What registration decides by: the inspected file, mapped to the view and tested on real rows. Throws a
 * ConfigurationError that states what does not fit. Registers nothing.
 */
export async function examineFile(
  ledger: ProjectLedger,
  children: Children,
  model: Model,
  path: string,
  request: Registration,
) {
  const { project } = ledger
  const view = viewNamed(project, model.view)
  const facts = await children.run('inspect', { path })
  const description = await children.run('describe', {
    root: project.root,
    view,
    timezone: project.timezone,
  })
  // Labels and outcomes may come later than the model; what the features read is needed now.
  refuse(description.problems.filter(({ absent }) => absent !== true || description.columns.length === 0))
  const columns = description.columns.filter((column) => !view.entity.includes(column.name))
  const given = { view, identity: description, columns }
  const training = await trainedOn(ledger, model, given, request.dataset)
  const dataset = training?.manifest.id ?? null
  const inputs = inputColumns(model, view, description.columns, facts)
  const mapping = planMapping(facts, { inputs, onnx: model.onnx, score: model.score, fill: view.fill })
  const hash = description.viewHash
  const trial = await tryModel(ledger, children, {
    model,
    view,
    hash,
    path,
    mapping,
    asOf: request.asOf,
  })
  refuseUncounted(model, mapping, facts)
  const warnings = [...facts.warnings, ...mapping.warnings, ...trial.warnings]
  if (dataset === null) {
    warnings.push(
      `no training set is given (--dataset ID): parity can never pass the gate for this version; nightshift dataset ${model.name} builds one`,
    )
  }
  const holdoutRows = training?.manifest.holdout.rows ?? 0
  if (model.drift.reference.kind === 'holdout' && holdoutRows === 0) {
    warnings.push(
      'there is no holdout: nights are compared with the first night that this version publishes, unless `evaluate` provides a holdout before',
    )
  }
  return { view, facts, description, columns, training, dataset, inputs, mapping, trial, warnings }
}

function existing(file: string): string {
  const path = resolve(file)
  if (existsSync(path)) return path
  throw new ConfigurationError(
    `register: expected the path of an ONNX file, got: ${file}, which does not exist`,
  )
}

function refuse(problems: Problem[]): void {
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0)
    throw new ConfigurationError(`register: the view has errors:\n${formatProblems(errors)}`)
}

/** Refuses `unknown: hold` for a column whose known values cannot be read from the file: no night would ever be held. */
function refuseUncounted(
  { name, unknown }: Model,
  { inputs }: MappingPlan,
  { vocabularies }: ModelFacts,
): void {
  const counted = inputs.flatMap((input) =>
    input.columns.filter((_, index) =>
      vocabularies.some((each) => each.input === input.name && each.index === index),
    ),
  )
  for (const [column, policy] of Object.entries(unknown)) {
    if (policy.unknown !== 'hold' || counted.some((each) => each.name === column)) continue
    throw new ConfigurationError(
      `models/${name}/model.yaml: inputs.${column}.unknown is hold, but the ONNX file does not list the values it knows of ${column}: ` +
        'unknown values could not be counted. Remove it, and list the legal values under `columns` in view.yaml',
    )
  }
}

/** The view's columns that the model reads, in the order of model.yaml or, without one there, of the SQL. */
function inputColumns(model: Model, view: View, columns: Column[], { inputs }: ModelFacts): Column[] {
  const all = columns.map((column) => column.name).filter((name) => !view.entity.includes(name))
  // A map with as many columns as the file has inputs is the list of inputs; otherwise it only sets options of some.
  const mapped = Object.keys(model.unknown)
  const widths = inputs.map(({ shape }) => (shape === null ? undefined : shape.length < 2 ? 1 : shape[1]))
  const width = widths.reduce<number>((sum, each) => sum + (typeof each === 'number' ? each : Number.NaN), 0)
  const names = model.inputs ?? (mapped.length === width ? mapped : all)
  return names.map((name) => {
    const column = columns.find((each) => each.name === name)
    if (column === undefined) {
      throw new ConfigurationError(
        `models/${model.name}/model.yaml: inputs: expected columns of view ${view.name} ` +
          `(${columns.map((each) => each.name).join(', ')}), got: ${name}`,
      )
    }
    return column
  })
}

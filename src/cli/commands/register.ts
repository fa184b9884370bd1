import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import type { GlobalOptions } from '../../cli.ts'
import { type Session, withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { lastGood } from '../../ledger/nights/published.ts'
import { storeHoldout } from '../../monitoring/drift/baseline-for.ts'
import type { Check, Column, UnknownValues } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { brokenStructure } from '../../pipeline/features/releasable.ts'
import { scoreTitle } from '../../pipeline/onnx/choose-class.ts'
import type { ModelFacts } from '../../pipeline/onnx/inspect.ts'
import { type MappingPlan, planMapping } from '../../pipeline/onnx/mapping.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { judgeUnknown, saysUnknown } from '../../pipeline/scoring/judge-unknown.ts'
import { formatProblems } from '../../project/files/format-problems.ts'
import { ConfigurationError, type Problem } from '../../project/files/problem.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { type AsOf, addDays, asOfContaining, parseAsOf } from '../../project/time/asof.ts'
import { declarationOf } from '../../registry/changed-view.ts'
import { register } from '../../registry/record-version.ts'
import { champion } from '../../registry/version-records.ts'
import { type Children, openChildren } from '../../workers/child/children.ts'
import { modelNamed, personNamed, viewNamed } from '../terminal/find.ts'
import { printJson, printLine } from '../terminal/print.ts'
import { trainedOn } from '../terminal/trained-on.ts'

interface Options extends GlobalOptions {
  asOf?: string
  dataset?: string
  by?: string
}

export default function registerCommand([name = '', file = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const view = viewNamed(project, model.view)
    const by = personNamed(project, options.by)
    const path = resolve(file)
    if (!existsSync(path))
      throw new ConfigurationError(
        `register: expected the path of an ONNX file, got: ${file}, which does not exist`,
      )

    const children = openChildren({ places: 1, timeouts: () => project.timeouts })
    try {
      const facts = await children.run('inspect', { path })
      const description = await children.run('describe', {
        root: project.root,
        view,
        timezone: project.timezone,
      })
      refuse(description.problems)
      const columns = description.columns.filter((column) => !view.entity.includes(column.name))
      const given = { view, identity: description, columns }
      const training = await trainedOn(session, model, given, options.dataset)
      const dataset = training?.manifest.id ?? null
      const inputs = inputColumns(model, view, description.columns, facts)
      const mapping = planMapping(facts, { inputs, onnx: model.onnx, score: model.score, fill: view.fill })
      const hash = description.viewHash
      const trial = await dryRun(session, children, { model, view, hash, path, mapping, asOf: options.asOf })
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
      const { version, known } = await register(database, project.warehouse, {
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
        by,
      })
      if (training !== undefined) {
        const trained = { model, version, dataset: training }
        await storeHoldout(database.pool, children, project, trained).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error)
          warnings.push(`the holdout could not be stored as the baseline of this version: ${why}`)
        })
      }
      const result = {
        model: model.name,
        version: version.version,
        sha256: version.sha256,
        inputs: version.inputs,
        output: version.mapping.output,
        score: scoreTitle(version.mapping.output),
        warnings,
        dataset: version.dataset,
        known,
        tried: trial.rows,
        unknown_values: trial.unknown,
        unread: trial.unread,
      }
      if (options.json) printJson(result)
      else await printRegistered(session, result)
      return 0
    } finally {
      await children.close()
    }
  })
}

function refuse(problems: Problem[]): void {
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0)
    throw new ConfigurationError(`register: the view has errors:\n${formatProblems(errors)}`)
}

/** Registration requires one row for each entity. */
function refuseStructure(checks: Check[], where: string): void {
  const [broken] = brokenStructure(checks)
  if (broken === undefined) return
  throw new ConfigurationError(
    `register: the view's rows ${where} cannot be used for training or scoring: ${broken.message}`,
  )
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

interface Trial {
  rows: number
  unknown: UnknownValues[]
  unread: string[]
  warnings: string[]
}

/** Scores real rows once: the newest published features of the current view, or features computed in a temporary folder. */
async function dryRun(
  { project, database }: Session,
  children: Children,
  {
    model,
    view,
    hash,
    path,
    mapping,
    asOf,
  }: {
    model: Model
    view: View
    hash: string
    path: string
    mapping: ReturnType<typeof planMapping>
    asOf: string | undefined
  },
): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-trial-'))
  try {
    const published = await lastGood(database.pool, { kind: 'features', name: view.name })
    refuseStructure(published?.checks ?? [], `as of ${published?.partition}`)
    const newest =
      published === undefined || published.view_hash !== hash || asOf !== undefined
        ? undefined
        : partitionPath(project.warehouse, 'features', view.name, published.partition).file
    const features =
      newest !== undefined && existsSync(newest)
        ? newest
        : await computeTemporarily({ project, database }, children, view, asOf, folder)
    if (features === undefined) {
      return {
        rows: 0,
        unknown: [],
        unread: [],
        warnings: ['the sources have no rows yet: the model was inspected but not tested on real rows'],
      }
    }
    const trial = await children.run('trial', {
      model: path,
      mapping,
      features,
      entity: view.entity,
      score: model.score,
      allowed: model.onnx.unknown,
      temp: folder,
      rows: 1000,
    })
    if (trial.unfit.length > 0) {
      throw new ConfigurationError(
        `register: columns contain values unknown to the model:\n${trial.unfit.map((each) => `  - ${each}`).join('\n')}`,
      )
    }
    if (trial.dependence !== undefined) {
      throw new ConfigurationError(
        `register: the model was tested on ${trial.rows} real rows: ${trial.dependence}`,
      )
    }
    const failed = trial.checks.filter((check) => !check.passed).map((check) => check.message)
    if (failed.length > 0) {
      throw new ConfigurationError(
        `register: the model was tested on ${trial.rows} real rows: ${failed.join('; ')}`,
      )
    }
    const warnings =
      trial.rows === 0 ? ['the view has no rows as of that date: the model was not tested on real rows'] : []
    const { rows, unknown, unread } = trial
    const judged = judgeUnknown(unknown, model.unknown)
    const broken = judged.checks
      .filter(({ passed }) => !passed)
      .map(({ message }) => `a night would be held: ${message}`)
    return {
      rows,
      unknown,
      unread,
      warnings: [...trial.warnings, ...judged.warnings, ...broken, ...warnings],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function computeTemporarily(
  { project, database }: Pick<Session, 'project' | 'database'>,
  children: Children,
  view: View,
  text: string | undefined,
  folder: string,
): Promise<string | undefined> {
  const now = await ledgerNow(database.pool)
  const asOf =
    text === undefined
      ? await newestAsOf(project, children, view, Temporal.Instant.fromEpochMilliseconds(now.getTime()))
      : parseAsOf(text, project.timezone)
  if (asOf === undefined) return undefined
  const facts = await children.run('features', {
    root: project.root,
    view,
    asOf,
    knownAt: now.toISOString(),
    timezone: project.timezone,
    out: join(folder, 'features.parquet'),
    temp: folder,
    threads: 2,
    metadata: { view: view.name, as_of: asOf.label },
  })
  refuseStructure(facts.checks, `as of ${asOf.label}`)
  return facts.file.path
}

/** The local midnight after the newest row of the sources, or the current day if no row has a time; undefined without files. */
async function newestAsOf(
  project: Project,
  children: Children,
  view: View,
  now: Temporal.Instant,
): Promise<AsOf | undefined> {
  const asOf = asOfContaining(now, project.timezone, 'day')
  try {
    const { inputs } = await children.run('inputs', {
      root: project.root,
      view,
      asOf,
      timezone: project.timezone,
    })
    const newest = inputs
      .map((input) => input.newest)
      .filter((time) => time !== null)
      .sort()
      .at(-1)
    if (newest === undefined) return asOf
    return addDays(
      asOfContaining(Temporal.Instant.from(newest), project.timezone, 'day'),
      1,
      project.timezone,
    )
  } catch (error) {
    if (error instanceof Failure && error.failureClass === 'late-data') return undefined
    throw error
  }
}

async function printRegistered(
  { database }: Session,
  result: {
    model: string
    version: number
    known: boolean
    sha256: string
    inputs: string[]
    score: string
    warnings: string[]
    tried: number
    unknown_values: UnknownValues[]
    unread: string[]
  },
): Promise<void> {
  printLine(
    result.known
      ? `this file is version ${result.version} of ${result.model} already`
      : `registered version ${result.version} of ${result.model}, tested on ${result.tried} real rows`,
  )
  printLine(`  sha256  ${result.sha256}`)
  printLine(`  inputs  ${result.inputs.join(', ')}`)
  printLine(`  score   ${result.score}`)
  for (const each of result.unknown_values) printLine(`  values  ${saysUnknown(each)}`)
  for (const column of result.unread) {
    printLine(
      `  values  ${column}: the file does not list the values the model knows; unknown values are not counted`,
    )
  }
  for (const warning of result.warnings) printLine(`  warning ${warning}`)
  const live = await champion(database.pool, result.model)
  if (live?.version !== result.version) {
    printLine(`next: nightshift promote ${result.model} --version ${result.version}`)
  }
}

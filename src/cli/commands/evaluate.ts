import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GlobalOptions } from '../../cli.ts'
import { figure, interval, signed } from '../../format/numbers.ts'
import { type Session, withSession } from '../../host/session.ts'
import { storeHoldout } from '../../monitoring/drift/baseline-for.ts'
import { type Dataset, readDataset } from '../../pipeline/dataset/read-dataset.ts'
import { SEED } from '../../pipeline/evaluation/bootstrap.ts'
import type { EvaluationFacts } from '../../pipeline/evaluation/evaluate-dataset.ts'
import type { EvaluatedVersion } from '../../pipeline/evaluation/holdout.ts'
import type { Measured } from '../../pipeline/evaluation/measure.ts'
import { checkRequirements, type RequirementCheck } from '../../pipeline/evaluation/require.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model, Project } from '../../project/project.ts'
import { METRIC_WORDS, METRICS, type Metric } from '../../project/schema/metric.ts'
import { recordEvaluation } from '../../registry/evaluations.ts'
import { champion, findVersion, listVersions, type Version } from '../../registry/version-records.ts'
import { openChildren } from '../../workers/child/children.ts'
import { modelNamed, personNamed } from '../terminal/find.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { datasetNamed } from './dataset-named.ts'

interface Options extends GlobalOptions {
  version: number
  dataset: string
  by?: string
}

/** `evaluate MODEL --version N --dataset ID`: exit 1 if `evaluation.require` is not met. */
export default function evaluateCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const version = await versionNamed(session, model, options.version)
    const dataset = await datasetNamed(session, model.name, options.dataset)
    refuseOther(version, dataset)
    const live = await champion(database.pool, model.name)
    const rival = live === undefined ? undefined : await findVersion(database.pool, model.name, live.version)
    const comparable = rival?.view_hash === dataset.manifest.view_hash
    const { facts, warning } = await measured(
      session,
      model,
      dataset,
      version,
      comparable ? rival : undefined,
    )
    const requirements = checkRequirements(model.evaluation.require, facts, rival?.version ?? null)
    const passed = requirements.every((check) => check.passed)
    const notes = [...facts.notes, ...warning, ...(await notesOn(project, model, version, dataset, rival))]
    const { metrics, ...rest } = facts
    const report = {
      model: model.name,
      version: version.version,
      dataset: dataset.manifest.id,
      as_of: dataset.manifest.holdout.as_of,
      ...rest,
      ...metrics,
      passed,
      requirements,
      notes,
    }
    await recordEvaluation(
      database,
      { model: model.name, version: version.version, dataset: dataset.manifest.id, by, passed, report },
      { metrics, rows: facts.rows },
    )
    if (options.json) printJson(report)
    else print(model, version, dataset, { ...facts, notes }, requirements, passed)
    return passed ? 0 : 1
  })
}

async function versionNamed({ database }: Session, model: Model, number: number): Promise<Version> {
  const version = await findVersion(database.pool, model.name, number)
  if (version !== undefined) return version
  const known = (await listVersions(database.pool, model.name)).map((each) => each.version).reverse()
  throw new ConfigurationError(
    `evaluate ${model.name}: expected --version to be a registered one (${known.join(', ') || 'none is registered: nightshift register'}), got: ${number}`,
  )
}

function refuseOther(version: Version, { manifest }: Dataset): void {
  if (manifest.holdout.rows === 0) {
    throw new ConfigurationError(
      `evaluate: training set ${manifest.id} has no holdout: build one with nightshift dataset ${manifest.model} --from D --to D --holdout-from D`,
    )
  }
  if (manifest.view_hash === version.view_hash) return
  throw new ConfigurationError(
    `evaluate: version ${version.version} uses view ${version.view} as ${version.view_hash.slice(0, 12)}, training set ${manifest.id} on ${manifest.view} as ${manifest.view_hash.slice(0, 12)}: ` +
      'the features differ; build a training set of the version’s own view',
  )
}

/** Evaluates the version, and stores the holdout as its baseline if it has none yet. */
async function measured(
  { project, database }: Session,
  model: Model,
  dataset: Dataset,
  version: Version,
  rival: Version | undefined,
): Promise<{ facts: EvaluationFacts; warning: string[] }> {
  const file = (each: Version): EvaluatedVersion => ({
    version: each.version,
    file: join(project.warehouse, each.file),
    sha256: each.sha256,
    mapping: each.mapping,
  })
  const temp = await mkdtemp(join(tmpdir(), 'nightshift-evaluate-'))
  const children = openChildren({ places: 1, timeouts: () => project.timeouts })
  try {
    const facts = await children.run('evaluate', {
      holdout: dataset.holdout,
      entity: dataset.manifest.entity,
      label: dataset.manifest.label.column,
      segments: model.evaluation.segments,
      version: file(version),
      champion: rival === undefined ? undefined : file(rival),
      score: model.score,
      k: model.evaluation.k,
      seed: SEED,
      temp,
      threads: availableParallelism(),
    })
    const warning = await storeHoldout(database.pool, children, project, { model, version, dataset }).then(
      () => [],
      (error: unknown) => [
        `the holdout could not be stored as the baseline of this version: ${error instanceof Error ? error.message : String(error)}`,
      ],
    )
    return { facts, warning }
  } finally {
    await children.close()
    await rm(temp, { recursive: true, force: true })
  }
}

/** Caveats of the figures. */
async function notesOn(
  { warehouse }: Project,
  { name }: Model,
  version: Version,
  { manifest }: Dataset,
  rival: Version | undefined,
): Promise<string[]> {
  const notes: string[] = []
  if (rival !== undefined && rival.view_hash !== manifest.view_hash) {
    notes.push(
      `champion version ${rival.version} uses other features (view ${rival.view}, ${rival.view_hash.slice(0, 12)}): it cannot score these rows and is not compared`,
    )
  }
  if (version.dataset === null) {
    notes.push(
      `version ${version.version} names no training set: it is unknown whether it was trained on rows of this holdout`,
    )
    return notes
  }
  const trained = await readDataset(warehouse, name, version.dataset).catch(() => undefined)
  const seen = trained?.manifest.train.as_of.filter((asOf) => manifest.holdout.as_of.includes(asOf)) ?? []
  if (trained === undefined) notes.push(`training set ${version.dataset} no longer exists`)
  if (seen.length > 0) {
    notes.push(
      `version ${version.version} was trained on ${seen.join(', ')}, which this holdout contains too: the figures are too optimistic`,
    )
  }
  return notes
}

function print(
  model: Model,
  version: Version,
  { manifest }: Dataset,
  facts: EvaluationFacts,
  requirements: RequirementCheck[],
  passed: boolean,
): void {
  const against = facts.against_champion
  printLine(
    `version ${version.version} of ${model.name} on the holdout of ${manifest.id}: ${facts.rows} rows of ${facts.entities} entities, as of ${manifest.holdout.as_of.join(', ')}`,
  )
  printTable(
    [
      '',
      'value',
      '95 % interval',
      ...(against === null ? [] : [`against version ${against.version}`, '95 % interval']),
    ],
    metricNames(facts).map((metric) => [
      METRIC_WORDS[metric],
      figure(facts.metrics[metric], 'none'),
      interval(facts.intervals[metric]),
      ...(against === null
        ? []
        : [signed(against.difference[metric]?.value, 'none'), interval(against.difference[metric])]),
    ]),
  )
  if (facts.confusion !== null) {
    const { threshold, true_positive, false_positive, true_negative, false_negative } = facts.confusion
    printLine(
      `at threshold ${threshold}: ${true_positive} true positives, ${false_positive} false positives, ${true_negative} true negatives, ${false_negative} false negatives`,
    )
  }
  printParts(
    'as of',
    facts.by_as_of.map((part) => ({ ...part, value: part.as_of })),
    facts,
  )
  for (const segment of new Set(facts.by_segment.map((part) => part.segment))) {
    printParts(
      segment,
      facts.by_segment.filter((part) => part.segment === segment),
      facts,
    )
  }
  for (const note of facts.notes) printLine(`note: ${note}`)
  for (const check of requirements) printLine(`${check.passed ? 'met' : 'NOT MET'}: ${check.message}`)
  if (requirements.length === 0) {
    printLine('no requirements: evaluation.require in model.yaml sets what a version must reach')
  }
  printLine(passed ? 'passed' : 'not passed')
}

function metricNames(facts: EvaluationFacts): Metric[] {
  return METRICS.filter((name) => name in facts.metrics)
}

function printParts(title: string, parts: (Measured & { value: string })[], facts: EvaluationFacts): void {
  const shown = metricNames(facts).slice(0, 4)
  printTable(
    [title, 'rows', ...shown.map((metric) => METRIC_WORDS[metric]), '95 % interval of the first metric'],
    parts.map((part) => [
      part.value,
      part.rows,
      ...shown.map((metric) => figure(part.metrics[metric], 'none')),
      interval(shown[0] === undefined ? undefined : part.intervals[shown[0]]),
    ]),
  )
}

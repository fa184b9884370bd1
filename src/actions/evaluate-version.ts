import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeHoldout } from '../monitoring/drift/baseline-for.ts'
import type { Dataset } from '../pipeline/dataset/read-dataset.ts'
import { SEED } from '../pipeline/evaluation/bootstrap.ts'
import type { EvaluationFacts } from '../pipeline/evaluation/evaluate-dataset.ts'
import type { EvaluatedVersion } from '../pipeline/evaluation/holdout.ts'
import { checkRequirements } from '../pipeline/evaluation/require.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model, Project } from '../project/project.ts'
import { recordEvaluation } from '../registry/evaluations.ts'
import { champion, findVersion, listVersions, type Version } from '../registry/version-records.ts'
import { storedDataset } from '../storage/stored-dataset.ts'
import { withChild } from '../workers/child/with-child.ts'
import { datasetNamed } from './dataset-named.ts'
import type { ProjectLedger } from './project-ledger.ts'

export interface EvaluationRequest {
  version: number
  dataset: string
  by: string | null
}

/**
 * Evaluates a version on the holdout of a training set, compares it with the champion if that can score it, and records it.
 * Throws a ConfigurationError if the version or the training set does not exist, or if their features differ.
 */
export async function evaluateVersion(ledger: ProjectLedger, model: Model, request: EvaluationRequest) {
  const { project, database } = ledger
  const version = await versionNamed(ledger, model, request.version)
  const dataset = await datasetNamed(ledger, model.name, request.dataset)
  refuseOther(version, dataset)
  const live = await champion(database.pool, model.name)
  const rival = live === undefined ? undefined : await findVersion(database.pool, model.name, live.version)
  const comparable = rival?.view_hash === dataset.manifest.view_hash
  const { facts, warning } = await measured(ledger, model, dataset, version, comparable ? rival : undefined)
  const requirements = checkRequirements(model.evaluation.require, facts, rival?.version ?? null)
  const passed = requirements.every((check) => check.passed)
  const notes = [...facts.notes, ...warning, ...(await notesOn(project, model, version, dataset, rival))]
  const { metrics, ...rest } = facts
  const report = {
    model: model.name,
    version: version.version,
    dataset: dataset.manifest.id,
    as_of: dataset.manifest.holdout.as_of,
    ...(facts.kind === 'classification' ? { k: model.evaluation.k } : {}),
    ...rest,
    ...metrics,
    passed,
    requirements,
    notes,
  }
  const recorded = await recordEvaluation(
    database,
    {
      model: model.name,
      version: version.version,
      dataset: dataset.manifest.id,
      by: request.by,
      passed,
      report,
    },
    { metrics, rows: facts.rows },
  )
  return { report, recorded, version, dataset, facts: { ...facts, notes }, requirements, passed }
}

async function versionNamed({ database }: ProjectLedger, model: Model, number: number): Promise<Version> {
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
  { project, database }: ProjectLedger,
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
  return withChild(project, async (children, stop) => {
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
      (error: unknown) => {
        stop.throwIfAborted()
        return [
          `the holdout could not be stored as the baseline of this version: ${error instanceof Error ? error.message : String(error)}`,
        ]
      },
    )
    return { facts, warning }
  }).finally(() => rm(temp, { recursive: true, force: true }))
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
  const trained = await storedDataset(warehouse, name, version.dataset).catch(() => undefined)
  // Of one set with held-out groups the rows differ, not the nights.
  const isSameSet = trained?.manifest.id === manifest.id
  const seen = isSameSet
    ? []
    : (trained?.manifest.train.as_of.filter((asOf) => manifest.holdout.as_of.includes(asOf)) ?? [])
  if (trained === undefined) notes.push(`training set ${version.dataset} no longer exists`)
  if (seen.length > 0) {
    notes.push(
      `version ${version.version} was trained on ${seen.join(', ')}, which this holdout contains too: the figures are too optimistic`,
    )
  }
  return notes
}

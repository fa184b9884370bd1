import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { lastGood } from '../ledger/nights/published.ts'
import type { Check, UnknownValues } from '../pipeline/engine/facts.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { brokenStructure } from '../pipeline/features/releasable.ts'
import type { MappingPlan } from '../pipeline/onnx/mapping.ts'
import { partitionPath } from '../pipeline/partition/partition-files.ts'
import { judgeUnknown } from '../pipeline/scoring/judge-unknown.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model, Project, View } from '../project/project.ts'
import { type AsOf, addDays, asOfContaining } from '../project/time/asof.ts'
import { scheduledAsOf } from '../project/time/scheduled-as-of.ts'
import { isThere } from '../storage/warehouse-files.ts'
import type { Children } from '../workers/child/children.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** The result of scoring real rows once. */
export interface Trial {
  rows: number
  unknown: UnknownValues[]
  unread: string[]
  warnings: string[]
}

/** Scores real rows once: the newest published features of the current view, or features computed in a temporary folder. */
export async function tryModel(
  { project, database }: ProjectLedger,
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
    mapping: MappingPlan
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
      newest !== undefined && (await isThere(newest))
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
  { project, database }: ProjectLedger,
  children: Children,
  view: View,
  text: string | undefined,
  folder: string,
): Promise<string | undefined> {
  const now = await ledgerNow(database.pool)
  const asOf =
    text === undefined
      ? await newestAsOf(project, children, view, Temporal.Instant.fromEpochMilliseconds(now.getTime()))
      : scheduledAsOf(project, view, text)
  if (asOf === undefined) return undefined
  if (text !== undefined && Date.parse(asOf.instant) > now.getTime()) {
    throw new ConfigurationError(
      `--as-of: expected a night that has begun in ${project.timezone}, got: ${text}`,
    )
  }
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

/** Registration requires one row for each entity. */
function refuseStructure(checks: Check[], where: string): void {
  const [broken] = brokenStructure(checks)
  if (broken === undefined) return
  throw new ConfigurationError(
    `register: the view's rows ${where} cannot be used for training or scoring: ${broken.message}`,
  )
}

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { publishedRun } from '../../ledger/nights/published.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { ScoreFile } from '../../pipeline/shadow/compare-scores.ts'
import type { FeatureFile, ShadowFigures } from '../../pipeline/shadow/shadow-figures.ts'
import type { Model, Project } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'
import { findVersion, type Version } from '../../registry/version-records.ts'
import { type ShadowScores, shadowScores } from '../../registry/warm.ts'
import { lookAtPublished } from '../../storage/published-file.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { finalFailure, inOwnFolder } from '../monitor-job.ts'
import { currentScores } from './current-scores.ts'
import { type Against, recordComparison, type ShadowNight } from './shadow-night-records.ts'

type CompareContext = Pick<Context, 'database' | 'children' | 'warehouse' | 'project'>

/**
 * Compares a challenger's scores of a night with what is published, or with the current process of a model without a
 * champion. What cannot be compared is recorded with the reason. Throws only transient Failures that are tried again.
 */
export async function compareNight(
  context: CompareContext,
  night: ShadowNight,
  options: TaskOptions,
): Promise<string> {
  const { pool } = context.database
  const project = context.project()
  const model = project.models[night.model]
  const version = await findVersion(pool, night.model, night.version)
  const scores = await shadowScores(pool, night.model, night.version, night.partition)
  if (model === undefined || version === undefined || scores === undefined) return 'nothing to compare'
  const asOf = parseAsOf(night.partition, project.timezone)
  const published = await publishedRun(pool, 'scores', model.name, night.partition)
  const against = againstOf(model, published)
  const { labels } = model
  const record = {
    ...night,
    as_of: asOf.instant,
    against,
    scores: scores.sha256,
    look_at: labels === undefined ? null : labelWindow(asOf, labels, project.timezone).complete,
  }
  if (against.kind === 'none') {
    const note =
      'there was no champion, and model.yaml declares no process before it (shadow.current): compared with nothing'
    await recordComparison(pool, { ...record, state: 'none', note, figures: null, look_at: null })
    return note
  }
  try {
    await expectUnchanged(context, scores)
    const figures = await figuresOf(context, { project, model, version, scores, asOf, published }, options)
    if (typeof figures === 'string') {
      await recordComparison(pool, {
        ...record,
        state: 'failed',
        note: figures,
        figures: null,
        look_at: null,
      })
      return figures
    }
    await recordComparison(pool, { ...record, state: 'compared', note: null, figures })
    return `compared ${figures.rows.both} rows`
  } catch (error) {
    const subject = [night.model, night.version, night.partition].join(' ')
    const failure = await finalFailure(pool, 'comparison', subject, error, options.signal)
    await recordComparison(pool, {
      ...record,
      state: 'failed',
      note: failure.message,
      figures: null,
      look_at: null,
    })
    return failure.message
  }
}

function againstOf(model: Model, published: Run | undefined): Against {
  if (published !== undefined) return { kind: 'champion', version: published.version, run: published.id }
  return { kind: model.shadow.current === undefined ? 'none' : 'current', version: null, run: null }
}

/** Scores that somebody has edited are no evidence. */
async function expectUnchanged({ warehouse }: CompareContext, scores: ShadowScores): Promise<void> {
  const run = scores.metadata.run ?? ''
  const verdict = await lookAtPublished(join(warehouse, scores.path), {
    run,
    sha256: scores.sha256,
    stamp: null,
  })
  if (verdict.state === 'right') return
  throw new Failure(
    'contract',
    `the scores of version ${scores.version} are not those that it computed: ${verdict.why}`,
  )
}

interface Sides {
  project: Project
  model: Model
  version: Version
  scores: ShadowScores
  asOf: AsOf
  published: Run | undefined
}

/** The figures; or why the current process has no scores of the night. */
async function figuresOf(
  context: CompareContext,
  sides: Sides,
  options: TaskOptions,
): Promise<ShadowFigures | string> {
  const { project, model, version, scores, asOf, published } = sides
  const { warehouse, children } = context
  const challenger: ScoreFile = {
    path: join(warehouse, scores.path),
    run: scores.metadata.run,
    entity: entityOf(project, version.view) ?? [],
    score: model.score.column,
  }
  const champion =
    published === undefined
      ? await currentScores(context, { model, asOf, timezone: project.timezone, challenger }, options)
      : championOf(warehouse, project, model, published, challenger)
  if ('reason' in champion) return champion.reason
  return await inOwnFolder(warehouse, 'compare', async (_, temp) => {
    return await children.run(
      'compare',
      {
        champion,
        challenger,
        threshold: model.score.threshold,
        k: model.evaluation.k,
        segments: model.evaluation.segments,
        features: await featuresOf(context, sides),
        movedBy: published === undefined ? 'rank' : 'score',
        temp,
        threads: availableParallelism(),
      },
      options,
    )
  })
}

function championOf(
  warehouse: string,
  project: Project,
  model: Model,
  published: Run,
  challenger: ScoreFile,
): ScoreFile {
  return {
    path: partitionPath(warehouse, 'scores', model.name, published.partition).file,
    run: published.id,
    // A view that is gone from the files is assumed to have had the same entity.
    entity: entityOf(project, published.metadata?.view) ?? challenger.entity,
    score: model.score.column,
  }
}

function entityOf({ views }: Project, view: string | undefined): string[] | undefined {
  return view === undefined ? undefined : views[view]?.entity
}

/** The features of both sides, the challenger's first; one file where both have scored the same. */
async function featuresOf(
  { database, warehouse }: CompareContext,
  { project, model, version, scores, asOf, published }: Sides,
): Promise<FeatureFile[]> {
  const file = (view: string, run: string, columns: string[]): FeatureFile => ({
    path: partitionPath(warehouse, 'features', view, asOf.label).file,
    run,
    entity: entityOf(project, view) ?? [],
    columns,
  })
  const own = file(version.view, scores.features_run, version.inputs)
  const { view, features_run: run } = published?.metadata ?? {}
  if (published?.version == null || view === undefined || run === undefined) return [own]
  if (view === version.view) return [own]
  const champion = await findVersion(database.pool, model.name, published.version)
  return [own, file(view, run, champion?.inputs ?? [])]
}

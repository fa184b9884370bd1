import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { classify } from '../../pipeline/engine/classify.ts'
import { SEED } from '../../pipeline/evaluation/bootstrap.ts'
import type { OutcomeAnswer, RivalFile } from '../../pipeline/outcomes/measure-outcome.ts'
import { currentPath, partitionPath } from '../../pipeline/partition/partition-files.ts'
import { FROZEN_SCORE } from '../../pipeline/shadow/frozen-score.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { labelView, labelWindow } from '../../project/time/label-window.ts'
import { findVersion } from '../../registry/version-records.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { type ShadowScores, shadowScores } from '../../registry/warm.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { inOwnFolder } from '../monitor-job.ts'
import { growing } from '../outcomes/job.ts'
import {
  compareRecordOf,
  type RealizableNight,
  recordRealized,
  type ShadowNight,
} from './shadow-night-records.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEK = 7 * DAY
/** How long after maturity labels may still come. */
const LATE_MS = 60 * DAY

type RealizeContext = Pick<Context, 'database' | 'children' | 'warehouse' | 'project' | 'clock'>

/**
 * Measures a compared night against its labels: challenger and other side on the same rows, with paired intervals.
 * Records why it could not be measured. Throws only transient Failures, after recording them.
 */
export async function realizeNight(
  context: RealizeContext,
  night: ShadowNight,
  options: TaskOptions,
): Promise<string> {
  const { pool } = context.database
  const project = await knowingKeys(pool, context.project())
  const model = project.models[night.model]
  const view = model && project.views[model.view]
  const version = await findVersion(pool, night.model, night.version)
  const known = await compareRecordOf(pool, night)
  const scores = await shadowScores(pool, night.model, night.version, night.partition)
  if (model === undefined || view === undefined || version === undefined) return 'nothing to measure'
  if (known === undefined || scores === undefined) return 'nothing to measure'
  if (model.labels === undefined) {
    await recordRealized(pool, night, { note: 'the model has no labels', look_at: null, looks: 0 })
    return 'the model has no labels'
  }
  const complete = labelWindow(
    parseAsOf(night.partition, project.timezone),
    model.labels,
    project.timezone,
  ).complete
  const now = (await context.clock()).getTime()
  const late = now - Date.parse(complete) < LATE_MS
  const later = (pause: number) => (late ? new Date(now + pause).toISOString() : null)
  const looks = known.looks + 1
  let answer: OutcomeAnswer
  try {
    answer = await measured(context, { project, model, view, known, scores }, night, options)
  } catch (error) {
    const failure = classify(error)
    const note = `it could not be measured: ${failure.message}`
    await recordRealized(pool, night, { note, look_at: later(growing(HOUR, known.looks, DAY)), looks })
    if (failure.failureClass === 'transient') throw failure
    return note
  }
  switch (answer.state) {
    case 'immature': {
      const ahead = Date.parse(complete) > now
      const look_at = ahead ? complete : later(growing(HOUR / 4, known.looks, DAY))
      await recordRealized(pool, night, { note: answer.reason, look_at, looks })
      return answer.reason
    }
    case 'unchanged':
      await recordRealized(pool, night, { note: null, look_at: later(WEEK), looks: 0 })
      return 'its labels are unchanged'
    case 'measured':
      await recordRealized(pool, night, {
        realized: answer.facts,
        note: null,
        look_at: later(WEEK),
        looks: 0,
      })
      return `${answer.facts.rows} rows measured`
  }
}

async function measured(
  { warehouse, children, clock }: RealizeContext,
  {
    project,
    model,
    view,
    known,
    scores,
  }: { project: Project; model: Model; view: View; known: RealizableNight; scores: ShadowScores },
  { partition }: ShadowNight,
  options: TaskOptions,
): Promise<OutcomeAnswer> {
  const { labels, outcomes } = model
  if (labels === undefined) return { state: 'immature', reason: 'the model has no labels' }
  return await inOwnFolder(warehouse, 'realize', async (_, temp) => {
    const { view: scored, features_run: run } = scores.metadata
    return await children.run(
      'outcome',
      {
        root: project.root,
        view: labelView(view, model),
        labels,
        asOf: parseAsOf(partition, project.timezone),
        timezone: project.timezone,
        now: (await clock()).toISOString(),
        scores: { path: join(warehouse, scores.path), run: scores.metadata.run ?? '' },
        features:
          scored === undefined || run === undefined
            ? undefined
            : { path: partitionPath(warehouse, 'features', scored, partition).file, run },
        rival: rivalOf(warehouse, model, view.entity, known, partition),
        score: model.score,
        segments: model.evaluation.segments,
        k: model.evaluation.k,
        seed: SEED,
        // Business figures are of what was published.
        outcomes: outcomes && { ...outcomes, metrics: [] },
        modelFile: join(model.folder, 'model.yaml'),
        before: known.realized ?? undefined,
        temp,
        threads: availableParallelism(),
      },
      options,
    )
  })
}

function rivalOf(
  warehouse: string,
  model: Model,
  entity: string[],
  { against }: RealizableNight,
  partition: string,
): RivalFile {
  return against.run === null
    ? {
        path: currentPath(warehouse, model.name, partition).file,
        run: undefined,
        entity,
        score: FROZEN_SCORE,
      }
    : {
        path: partitionPath(warehouse, 'scores', model.name, partition).file,
        run: against.run,
        entity,
        score: model.score.column,
      }
}

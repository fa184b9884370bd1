import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { transaction } from '../../ledger/connection/database.ts'
import { type Publication, scoresAtDeadline } from '../../ledger/nights/standing.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { SEED } from '../../pipeline/evaluation/bootstrap.ts'
import type { OutcomeAnswer, StandingFile } from '../../pipeline/outcomes/measure-outcome.ts'
import { partitionPath, supersededPath } from '../../pipeline/partition/partition-files.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { readDuration } from '../../project/time/duration.ts'
import { labelView, labelWindow } from '../../project/time/label-window.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { writerOf } from '../../storage/published-file.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { inOwnFolder } from '../monitor-job.ts'
import { followQuality } from './follow-quality.ts'
import { checkAgain, checksOf, findOutcome, type Outcome, recordOutcome } from './record.ts'

/** The payload of an outcome job. `newHorizon`: a measured night is measured again under the current horizon. */
const OutcomeJob = z.object({
  model: z.string().min(1),
  partition: z.string().min(1),
  newHorizon: z.boolean().default(false),
})

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** How long after maturity a night is checked for late labels, and how often. */
const LATE_MS = 60 * DAY
const LATE_EVERY_MS = 6 * HOUR

type OutcomeContext = Pick<Context, 'database' | 'children' | 'warehouse' | 'clock' | 'project' | 'log'>

/**
 * The job of a night whose labels may be available: measures the scores that were published at its deadline, records
 * the figures and the quality incident that they open or close, and sets the time of the next check. Existing figures are
 * kept if a later check fails. Throws only transient Failures, after recording them.
 */
export async function measureNight(
  context: OutcomeContext,
  data: unknown,
  options: TaskOptions,
): Promise<string> {
  const { model: name, partition, newHorizon } = OutcomeJob.parse(data)
  const project = await knowingKeys(context.database.pool, context.project())
  const model = project.models[name]
  const view = model && project.views[model.view]
  if (model?.labels === undefined || view === undefined) return 'nothing to measure'
  const asOf = parseAsOf(partition, project.timezone)
  const { pool } = context.database
  const { atDeadline, deadline } = await scoresAtDeadline(pool, name, partition)
  const before = await findOutcome(pool, name, asOf.label)
  const kept = before?.state === 'measured' ? before : undefined
  const labels = newHorizon ? model.labels : underItsOwn(model.labels, kept)
  const matures_at = labelWindow(asOf, labels, project.timezone).complete
  const window = { matures_at, horizon: labels.horizon.text, lag: labels.lag.text }
  const night = { model: name, as_of: asOf.instant, partition, ...window }
  const checks = await checksOf(pool, night)
  const clock = async () => (await context.clock()).getTime()
  const later = async (pause: number) => new Date((await clock()) + pause).toISOString()
  if (deadline !== null && Date.parse(deadline) > (await clock())) {
    await checkAgain(pool, night, { at: deadline, count: checks })
    return `its deadline, ${deadline}, has not passed: the scores published by then are not known yet`
  }
  if ('none' in atDeadline) {
    await recordOutcome(pool, {
      ...night,
      run: null,
      version: null,
      state: 'failed',
      measured_at: null,
      note: atDeadline.none,
      report: null,
    })
    return atDeadline.none
  }
  const { publication } = atDeadline
  const { run, version } = publication
  const record = { ...night, run, version, measured_at: null, report: null }
  // Labels are not expected months after a night has matured.
  const late = (await clock()) - Date.parse(matures_at) < LATE_MS
  let answer: OutcomeAnswer
  try {
    answer = await measured(context, { project, model, labels, view, asOf, publication, kept }, options)
  } catch (error) {
    const failure = classify(error)
    const { message } = failure
    if (failure.failureClass === 'transient') {
      const next = { at: await later(growing(5 * MINUTE, checks, HOUR)), count: checks + 1 }
      await checkAgain(pool, night, next, `the last check failed and will be retried: ${message}`)
      throw failure
    }
    const next = { at: late ? await later(growing(HOUR, checks, DAY)) : null, count: checks + 1 }
    const outcome: Outcome =
      kept === undefined
        ? { ...record, state: 'failed', note: message }
        : { ...kept, note: `it could not be measured again: ${message}` }
    await recordOutcome(pool, outcome, next)
    return `it could not be measured: ${message}`
  }
  switch (answer.state) {
    case 'immature': {
      if (newHorizon && kept !== undefined) return answer.reason
      const ahead = Date.parse(matures_at) > (await clock())
      const at = ahead ? matures_at : await later(growing(15 * MINUTE, checks, DAY))
      const outcome: Outcome = kept ?? { ...record, state: 'immature', note: answer.reason }
      await recordOutcome(pool, outcome, { at, count: checks + 1 })
      return answer.reason
    }
    case 'unchanged': {
      const next = { at: late ? await later(LATE_EVERY_MS) : null, count: checks + 1 }
      const report = kept?.report == null ? null : { ...kept.report, inputs: answer.inputs }
      if (kept !== undefined) {
        const outcome: Outcome = { ...kept, ...window, note: null, report }
        // The figures are the same, but their bounds may have changed in model.yaml.
        await transaction(context.database, async (client) => {
          await recordOutcome(client, outcome, next)
          await followQuality(client, context, model)
        })
      }
      return 'its labels are unchanged'
    }
    case 'measured': {
      const { facts } = answer
      const measured_at = (await context.clock()).toISOString()
      const outcome: Outcome = { ...record, state: 'measured', measured_at, note: null, report: facts }
      const next = { at: late ? await later(LATE_EVERY_MS) : null, count: 0 }
      await transaction(context.database, async (client) => {
        await recordOutcome(client, outcome, next)
        await followQuality(client, context, model)
      })
      return `${facts.rows} rows measured${kept === undefined ? '' : ' again: late labels arrived, or model.yaml has changed'}`
    }
  }
}

/**
 * A night keeps the horizon under which it was measured: late labels are counted under it, and only `newHorizon`
 * changes it.
 */
function underItsOwn(labels: Labels, kept: Outcome | undefined): Labels {
  const own = (text: string | null | undefined) => (text == null ? undefined : readDuration(text))
  return {
    ...labels,
    horizon: own(kept?.horizon) ?? labels.horizon,
    lag: own(kept?.lag) ?? labels.lag,
  }
}

/** Doubles each time, up to a maximum. */
export function growing(first: number, times: number, most: number): number {
  return Math.min(first * 2 ** Math.min(times, 20), most)
}

type Labels = NonNullable<Model['labels']>

interface Night {
  project: Project
  model: Model
  labels: Labels
  view: View
  asOf: AsOf
  publication: Publication
  kept: Outcome | undefined
}

async function measured(
  { warehouse, children, clock }: OutcomeContext,
  { project, model, labels, view, asOf, publication, kept }: Night,
  options: TaskOptions,
): Promise<OutcomeAnswer> {
  return await inOwnFolder(warehouse, 'outcome', async (_, temp) => {
    const scores = await fileOf(warehouse, model.name, asOf, publication)
    return await children.run(
      'outcome',
      {
        root: project.root,
        view: labelView(view, model),
        ownSources: Object.keys(model.sources),
        labels,
        asOf,
        timezone: project.timezone,
        now: (await clock()).toISOString(),
        scores,
        features: featuresOf(warehouse, asOf, publication),
        score: model.score,
        segments: model.evaluation.segments,
        k: model.evaluation.k,
        seed: SEED,
        outcomes: model.outcomes,
        modelFile: join(model.folder, 'model.yaml'),
        before:
          kept?.report == null || kept.run !== publication.run
            ? undefined
            : { inputs: kept.report.inputs, definition: kept.report.definition },
        temp,
        threads: availableParallelism(),
      },
      options,
    )
  })
}

/** At the stable path while they are current, otherwise where superseded files are kept. */
async function fileOf(
  warehouse: string,
  model: string,
  { label }: AsOf,
  { run }: Publication,
): Promise<StandingFile> {
  const standing = partitionPath(warehouse, 'scores', model, label).file
  const kept = supersededPath(warehouse, model, label, run)
  for (const path of [standing, kept]) if ((await writerOf(path)) === run) return { path, run }
  throw new Failure(
    'contract',
    `the scores of run ${run}, which were published at the deadline, no longer exist: they are neither in ${relative(warehouse, standing)} nor in ${relative(warehouse, kept)} of the warehouse`,
  )
}

/** The features named in the metadata of the scores. */
function featuresOf(warehouse: string, { label }: AsOf, { metadata }: Publication): StandingFile | undefined {
  const { view, features_run: run } = metadata ?? {}
  if (view === undefined || run === undefined) return undefined
  return { path: partitionPath(warehouse, 'features', view, label).file, run }
}

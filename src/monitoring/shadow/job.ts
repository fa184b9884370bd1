import { relative } from 'node:path'
import { z } from 'zod'
import { transaction } from '../../ledger/connection/database.ts'
import { publishedRun } from '../../ledger/nights/published.ts'
import { newRunId } from '../../ledger/nights/run-records.ts'
import { shadowPath } from '../../pipeline/partition/partition-files.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { findVersion } from '../../registry/version-records.ts'
import { recordShadow } from '../../registry/warm.ts'
import { placeAttempt, sendFile } from '../../storage/warehouse-files.ts'
import { changedFeatures, scoreRequest } from '../../workers/attempt/resolve.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { finalFailure, inOwnFolder } from '../monitor-job.ts'
import { compareNight } from './compare-night.ts'
import { realizeNight } from './realize-night.ts'

/** The payload of a shadow job. */
const ShadowJob = z.object({
  task: z.enum(['score', 'compare', 'realize']).default('score'),
  model: z.string().min(1),
  version: z.number().int().positive(),
  partition: z.string().min(1),
  role: z.enum(['warm', 'challenger']).default('challenger'),
})

/** Scores a night in shadow, compares it, or measures what came of it. */
export function workInShadow(context: Context, data: unknown, options: TaskOptions): Promise<string> {
  const { task, ...job } = ShadowJob.parse(data)
  switch (task) {
    case 'score':
      return scoreShadow(context, job, options)
    case 'compare':
      return compareNight(context, job, options)
    case 'realize':
      return realizeNight(context, job, options)
  }
}

/**
 * Scores a night with a version that is not champion, on the same published features, into
 * `shadow/<model>/challenger=<version>/as_of=<D>/`. Failures are recorded and block nothing.
 */
async function scoreShadow(
  context: Context,
  job: Omit<z.output<typeof ShadowJob>, 'task'>,
  options: TaskOptions,
): Promise<string> {
  const { database, warehouse } = context
  const project = context.project()
  const model = project.models[job.model]
  const version = await findVersion(database.pool, job.model, job.version)
  const view = version && project.views[version.view]
  if (model === undefined || version === undefined || view === undefined) return 'nothing to score'
  const asOf = parseAsOf(job.partition, project.timezone)
  const features = await publishedRun(database.pool, 'features', version.view, asOf.label)
  if (features === undefined) return `view ${version.view} has no features as of ${job.partition}`
  const record = {
    model: model.name,
    version: version.version,
    as_of: asOf.instant,
    partition: job.partition,
    role: job.role,
    features_run: features.id,
  }
  if (features.view_hash !== version.view_hash) {
    const failure = changedFeatures(project, version, features)
    await recordShadow(database.pool, { ...record, failure: failure.toRecord() })
    return failure.message
  }
  try {
    return await inOwnFolder(warehouse, 'shadow', async (folder) => {
      const run = newRunId()
      const request = await scoreRequest(context, { project, model, version, view, features, run, folder })
      const { file, summary, checks } = await context.children.run('scores', request, options)
      const broken = checks.find((check) => !check.passed)
      if (broken !== undefined) {
        await recordShadow(database.pool, { ...record, failure: { class: 'model', message: broken.message } })
        return broken.message
      }
      const target = shadowPath(warehouse, model.name, version.version, job.partition)
      await sendFile(file.path, file, options.signal)
      await transaction(database, async (client) => {
        // If two jobs run at once, each moves its file and records it before the other does.
        await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
          'nightshift.shadow',
          target.file,
        ])
        await placeAttempt(folder, target)
        const { rows, sha256, metadata } = file
        const path = relative(warehouse, target.file)
        await recordShadow(client, { ...record, path, rows, sha256, metadata, summary })
      })
      return `scored ${file.rows} rows`
    })
  } catch (error) {
    const subject = [model.name, version.version, features.id].join(' ')
    const failure = await finalFailure(database.pool, 'shadow', subject, error, options.signal)
    await recordShadow(database.pool, { ...record, failure: failure.toRecord() })
    return failure.message
  }
}

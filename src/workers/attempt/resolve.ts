import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { knownInputs, nearestPublished, publishedRun, publishedStamp } from '../../ledger/nights/published.ts'
import { recordVersion } from '../../ledger/nights/run-facts.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { FeatureRequest } from '../../pipeline/features/compute-features.ts'
import { brokenStructure } from '../../pipeline/features/releasable.ts'
import { refusal } from '../../pipeline/partition/file-refusal.ts'
import { attemptFolder, partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { ScoreRequest } from '../../pipeline/scoring/score-partition.ts'
import { didYouMean } from '../../project/files/nearest.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { changedView, registeredAs } from '../../registry/changed-view.ts'
import { champion, findVersion, type Version } from '../../registry/version-records.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { pinPublished } from '../../storage/published-file.ts'
import type { Context } from '../context.ts'

/** Everything that one attempt needs, as plain paths and facts. */
export type Plan =
  | {
      kind: 'features'
      run: Run
      view: View
      request: Omit<FeatureRequest, 'progress'>
      /** The published run whose file is `request.replaces`. */
      replaces: Run | undefined
    }
  | {
      kind: 'scores'
      run: Run
      model: Model
      version: Version
      /** The run whose published file is scored. */
      features: Run
      request: Omit<ScoreRequest, 'progress'>
    }

/** Resolves what a run needs and creates its attempt's folder. Throws contract and model Failures. */
export async function resolve(
  context: Context,
  run: Run,
  attempt: { attempt: string; knownAt: string },
): Promise<Plan> {
  const project = await knowingKeys(context.database.pool, context.project())
  meansStill(run, parseAsOf(run.partition, project.timezone).instant)
  const folder = attemptFolder(context.warehouse, attempt.attempt)
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(join(folder, 'tmp'), { recursive: true })
  } catch (error) {
    throw await refusal(error, 'the folder of the attempt could not be created', [folder])
  }
  return run.kind === 'features'
    ? resolveFeatures(context, project, run, folder, attempt.knownAt)
    : resolveScores(context, project, run, folder)
}

async function resolveFeatures(
  context: Context,
  project: Project,
  run: Run,
  folder: string,
  knownAt: string,
): Promise<Plan> {
  const view = project.views[run.name]
  if (view === undefined) throw gone('view', run.name, Object.keys(project.views))
  const previous = await nearestPublished(context.database.pool, run)
  const replaced = await findReplaced(context, run, folder)
  return {
    kind: 'features',
    run,
    view,
    replaces: replaced?.run,
    request: {
      root: context.root,
      view,
      asOf: parseAsOf(run.partition, project.timezone),
      knownAt,
      timezone: project.timezone,
      out: join(folder, 'features.parquet'),
      temp: join(folder, 'tmp'),
      threads: availableParallelism(),
      metadata: {
        project: project.name,
        view: view.name,
        run: run.id,
        as_of: run.partition,
        known_at: knownAt,
      },
      ...(previous === undefined ? {} : { previous }),
      ...(replaced === undefined ? {} : { replaces: replaced.file }),
      known: await knownInputs(context.database.pool, run),
      waits: true,
    },
  }
}

/** What is published at this as-of, where its file is what the ledger says: only then is it known what it is compared with. */
export async function findReplaced(
  { database: { pool }, warehouse }: Context,
  run: Run,
  folder: string,
): Promise<{ run: Run; file: string } | undefined> {
  const before = await publishedRun(pool, 'features', run.name, run.partition)
  if (before === undefined) return undefined
  const published = partitionPath(warehouse, 'features', run.name, run.partition).file
  const stamp = await publishedStamp(pool, before.slot)
  const pinned = await pinPublished(published, join(folder, 'before.parquet'), {
    run: before.id,
    sha256: before.sha256,
    stamp,
  }).catch(() => undefined)
  return pinned?.verdict.state === 'right' ? { run: before, file: pinned.file } : undefined
}

async function resolveScores(context: Context, project: Project, run: Run, folder: string): Promise<Plan> {
  const { pool } = context.database
  const model = project.models[run.name]
  if (model === undefined) throw gone('model', run.name, Object.keys(project.models))
  const number = run.version ?? (await champion(pool, model.name))?.version
  if (number === undefined) {
    throw new Failure('model', `model ${model.name} has no champion: register a version and promote it`)
  }
  const version = await findVersion(pool, model.name, number)
  if (version === undefined) throw new Failure('model', `model ${model.name} has no version ${number}`)
  // A run keeps the version of its first attempt: a promotion takes effect between runs.
  await recordVersion(pool, run.id, number)
  const view = project.views[version.view]
  if (view === undefined) throw gone('view', version.view, Object.keys(project.views))
  const features = await publishedRun(pool, 'features', version.view, run.partition)
  if (features === undefined) {
    throw new Failure('late-data', `view ${version.view} has no published features as of ${run.partition}`, {
      evidence: { view: version.view },
    })
  }
  meansStill(features, run.as_of)
  if (features.view_hash !== version.view_hash) {
    throw changedFeatures(project, version, features)
  }
  return {
    kind: 'scores',
    run,
    model,
    version,
    features,
    request: await scoreRequest(context, { project, model, version, view, features, run: run.id, folder }),
  }
}

/** Refuses a run whose label now means a different instant than when the run was created. */
function meansStill(run: Run, instant: string): void {
  if (Date.parse(run.as_of) === Date.parse(instant)) return
  const again = run.kind === 'scores' ? 'run' : 'refresh'
  throw new Failure(
    'contract',
    `run ${run.id} of ${slotTitle(run)} is of ${run.as_of}, but with the timezone in nightshift.yaml the label means ${instant}: restore the timezone, or nightshift ${again} ${run.name} --as-of ${run.partition} --force`,
    { evidence: { run: run.id, of: run.as_of, means: instant } },
  )
}

/** The request for scoring a version on a night's published features, written to a folder of its own. */
export async function scoreRequest(
  { warehouse, database }: Pick<Context, 'warehouse' | 'database'>,
  scoring: {
    project: Project
    model: Model
    version: Version
    view: View
    /** The run whose features are published. */
    features: Run
    /** As named in the file's metadata. */
    run: string
    folder: string
  },
): Promise<Omit<ScoreRequest, 'progress'>> {
  const { project, model, version, view, features, run, folder } = scoring
  refuseBroken(features)
  const published = partitionPath(warehouse, 'features', version.view, features.partition).file
  const pinned = await expectPublished(database, features, published, join(folder, 'features.parquet'))
  return {
    model: join(warehouse, version.file),
    sha256: version.sha256,
    mapping: version.mapping,
    features: pinned,
    entity: view.entity,
    score: model.score,
    unknown: model.unknown,
    version: version.version,
    out: join(folder, 'scores.parquet'),
    temp: join(folder, 'tmp'),
    threads: availableParallelism(),
    metadata: {
      project: project.name,
      model: model.name,
      version: String(version.version),
      model_sha256: version.sha256,
      view: version.view,
      view_hash: version.view_hash,
      features_run: features.id,
      run,
      as_of: features.partition,
    },
  }
}

/** Features that were published before their structure was enforced are not scored. */
function refuseBroken(features: Run): void {
  const [broken] = brokenStructure(features.checks)
  if (broken === undefined) return
  throw new Failure(
    'contract',
    `${slotTitle(features)} is published, but cannot be scored: ${broken.message}. Fix the cause and run nightshift refresh ${features.name} --as-of ${features.partition} --force`,
    { evidence: { outdated: true, run: features.id, check: broken.id } },
  )
}

/**
 * Pins this night's features, so that they stay readable while a refresh replaces them. Scores computed from a foreign file
 * would name features that they were not computed from. The comparison of published files repairs it.
 */
async function expectPublished(
  { pool }: Context['database'],
  features: Run,
  path: string,
  link: string,
): Promise<string> {
  const stamp = await publishedStamp(pool, features.slot)
  const { id: run, sha256 } = features
  const { file, verdict } = await pinPublished(path, link, { run, sha256, stamp })
  if (verdict.state === 'right') return file
  throw new Failure(
    'transient',
    `${slotTitle(features)} is not what run ${features.id} published: ${verdict.why}. The scheduler publishes or computes it again, or run nightshift refresh ${features.name} --as-of ${features.partition}`,
    { evidence: { view: features.name, run: features.id, state: verdict.state } },
  )
}

/** Features whose definition differs from the one the version was registered on: what differs, and how to keep both. */
export function changedFeatures(project: Project, version: Version, features: Run): Failure {
  const { message, difference, instead } = changedView(project, registeredAs(version), {
    what: `the features as of ${features.partition} are`,
    hash: features.view_hash,
    asOf: features.partition,
  })
  return new Failure('contract', message, {
    evidence: {
      version: version.version,
      wanted: version.view_hash,
      found: features.view_hash,
      difference: difference.join('\n'),
      // jsonb sorts short keys first: first the difference, then the action.
      in_a_new_view_folder: instead.join('\n'),
    },
  })
}

function gone(what: 'view' | 'model', name: string, names: string[]): Failure {
  return new Failure(
    'contract',
    `${what} ${name} is no longer in the project; it has: ${names.join(', ') || 'none'}${didYouMean(name, names)}`,
  )
}

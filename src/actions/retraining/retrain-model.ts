import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { recipeOf } from '../../monitoring/retraining/recipe.ts'
import { type Retraining, type RetrainingStep, recordProgress } from '../../monitoring/retraining/record.ts'
import type { DatasetFacts } from '../../pipeline/dataset/build-dataset.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Model } from '../../project/project.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { recordUse } from '../../registry/view-promises.ts'
import { sendFile } from '../../storage/warehouse-files.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { runCommand } from '../../workers/command/supervised.ts'
import { evaluateVersion } from '../evaluate-version.ts'
import { makeTrainingSet } from '../make-training-set.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { examineFile, registerVersion } from '../register-version.ts'
import { startShadow } from '../shadow-version.ts'
import { commandEnvironment, missingFile, refuseUnset } from './command-environment.ts'
import { trainingNights } from './training-nights.ts'

export interface RetrainingWork {
  /** The claimed retraining, and the process that claimed it. */
  retraining: Retraining
  process: string
  /** The variables of this process: the command gets those that are declared. */
  variables: Record<string, string | undefined>
  signal: AbortSignal
  onStep?: (step: RetrainingStep, text: string) => void
}

export interface Retrained {
  /** What came of it, in a sentence. */
  outcome: string
  dataset: string
  version: number | null
  passed: boolean | null
  warnings: string[]
}

/**
 * Trains a model again: makes the training set, runs the team's command on it, registers the file that it wrote,
 * evaluates that against the champion, and starts its shadow. A dry run ends before the registration: the file is
 * inspected and tried on real rows. Each step may be repeated: what was killed is begun again from the start.
 */
export async function retrainModel(
  ledger: ProjectLedger,
  model: Model,
  work: RetrainingWork,
): Promise<Retrained> {
  const { database, project } = ledger
  const { retraining, process, signal } = work
  const { retrain } = model
  if (retrain === undefined)
    throw new Failure('contract', `models/${model.name}/model.yaml has no \`retrain\` any more`)
  refuseUnset(model, work.variables)
  const step = async (
    name: RetrainingStep,
    text: string,
    facts: Parameters<typeof recordProgress>[2] = {},
  ) => {
    signal.throwIfAborted()
    await recordProgress(database.pool, { id: retraining.id, process }, { step: name, ...facts })
    work.onStep?.(name, text)
  }

  const logFile = join('retrainings', model.name, String(retraining.id), 'command.log')
  const folder = join(project.warehouse, 'retrainings', model.name, String(retraining.id))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const out = join(folder, 'model.onnx')
  await rm(out, { force: true })
  const recipe = recipeOf(model) ?? null

  await step('dataset', 'making the training set', { recipe, log: logFile })
  const set = await trainingSet(ledger, model, signal)
  const { manifest } = set
  refuseEmpty(model, set)

  await step('command', `training on ${manifest.train.rows} rows: ${retrain.command.join(' ')}`, {
    dataset: manifest.id,
    view_hash: manifest.view_hash,
  })
  const log = join(folder, 'command.log')
  await runCommand({
    command: retrain.command,
    cwd: model.folder,
    env: commandEnvironment(project, model, set, out, work.variables),
    log,
    timeoutMs: retrain.timeout.ms,
    signal,
  }).finally(() => sendFile(log))
  const missing = missingFile(out)
  if (missing !== undefined) throw missing
  await refuseUntrained(ledger, model, out, manifest.id)

  await step('registration', retraining.dry_run ? 'trying the model' : 'registering the model')
  const by = retraining.by ?? 'retraining'
  try {
    if (retraining.dry_run) return await tried(ledger, model, out, manifest.id)
    const registered = await registerVersion(ledger, model, out, { dataset: manifest.id, by })
    const { version, warnings } = registered
    const live = await champion(database.pool, model.name)
    if (live?.version === version) {
      const outcome = `the command wrote the file of version ${version} again, which is the champion`
      return { outcome, dataset: manifest.id, version, passed: null, warnings }
    }
    await step('evaluation', `evaluating version ${version}`, { version })
    const evaluated = await evaluateVersion(ledger, model, { version, dataset: manifest.id, by })
    const { passed } = evaluated
    await recordProgress(
      database.pool,
      { id: retraining.id, process },
      { passed, ...(live === undefined ? {} : { champion: live.version }) },
    )
    await step('shadow', `starting version ${version} in shadow`)
    const inShadow = await startShadow(ledger, model, { version, by })
    return {
      outcome: sentence(version, live?.version, evaluated),
      dataset: manifest.id,
      version,
      passed,
      warnings: [...warnings, ...inShadow.warnings],
    }
  } finally {
    // The registered copy is the version's; what was only tried is not kept.
    await rm(out, { force: true })
  }
}

async function trainingSet(
  { database, project }: ProjectLedger,
  model: Model,
  signal: AbortSignal,
): Promise<DatasetFacts> {
  const now = await ledgerNow(database.pool)
  const hourly = Object.values(project.schedules).some(
    ({ grain, score }) => grain === 'hour' && score.includes(model.name),
  )
  const nights = trainingNights(model, project.timezone, hourly ? 'hour' : 'day', now)
  const built = await withChild(project, (children) =>
    makeTrainingSet({ project, children }, model, { ...nights, now }, { signal }),
  )
  const { manifest, sources } = built
  await recordUse(database.pool, { view: manifest.view, viewHash: manifest.view_hash, sources })
  return built
}

/** Throws where the file is that of a version which was trained on something else: then the command has not trained. */
async function refuseUntrained(
  { database }: ProjectLedger,
  { name }: Model,
  out: string,
  dataset: string,
): Promise<void> {
  const sha256 = createHash('sha256')
    .update(await readFile(out))
    .digest('hex')
  const same = (await listVersions(database.pool, name)).find((each) => each.sha256 === sha256)
  if (same === undefined || same.dataset === dataset) return
  const other = same.dataset === null ? 'without a training set' : `with training set ${same.dataset}`
  throw new Failure(
    'model',
    `the command wrote the file of version ${same.version} again, which was registered ${other}: it was not trained on ${dataset}, the file in NIGHTSHIFT_TRAIN`,
  )
}

function refuseEmpty({ name }: Model, { manifest }: DatasetFacts): void {
  const { train, holdout, left_out } = manifest
  const [immature] = left_out.immature
  for (const [split, { rows }] of Object.entries({ train, holdout })) {
    if (rows > 0) continue
    throw new Failure(
      'late-data',
      `training set ${manifest.id} has no ${split} rows${immature === undefined ? '' : `: ${immature.as_of}: ${immature.reason}`}; retrain.dataset in models/${name}/model.yaml says which nights it is made of`,
    )
  }
}

async function tried(ledger: ProjectLedger, model: Model, file: string, dataset: string): Promise<Retrained> {
  const { trial, warnings } = await withChild(ledger.project, (children) =>
    examineFile(ledger, children, model, file, { dataset, by: null }),
  )
  return {
    outcome: `a valid model, tried on ${trial.rows} real rows; nothing was registered`,
    dataset,
    version: null,
    passed: null,
    warnings,
  }
}

function sentence(
  version: number,
  live: number | undefined,
  { passed, requirements }: Awaited<ReturnType<typeof evaluateVersion>>,
): string {
  const against = live === undefined ? '' : ` against version ${live}`
  const failed = requirements.filter((check) => !check.passed).map(({ message }) => message)
  return passed
    ? `version ${version} passed its evaluation${against}`
    : `version ${version} did not pass its evaluation${against} (${failed.join('; ')})`
}

import type { Logger } from 'pino'
import { requestFeatures, requestScores, settingsFor } from '../../jobs/request-run.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import { listFiles } from '../../pipeline/sources/listing.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { viewNamed } from '../../project/named.ts'
import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { champion, findVersion, listVersions } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { type Currency, featuresCurrency, putRight, scoresCurrency } from '../../workers/currency.ts'
import type { ProjectLedger } from '../project-ledger.ts'

/** One night of one view or model that a person asks for. */
export interface NightRequest {
  asOf: AsOf
  /** Runs even if nothing has changed. */
  forced: boolean
  by: string | null
}

interface NightLedger extends ProjectLedger {
  log: Pick<Logger, 'warn'>
  /** Receives a sentence for each published file that was missing or foreign and has been repaired. */
  onRepaired(sentence: string): void
}

/** What a request for scores needs; `current` with the run that published them if nothing has changed. */
export type ScoresPlan = { current: true; run: Run } | { current: false; refresh: View | undefined }

/**
 * Compares a night of a model with what a run would compute now. Published files are repaired first. Throws a
 * ConfigurationError if the model has no champion.
 */
export async function planScores(
  ledger: NightLedger,
  model: string,
  { asOf, forced }: NightRequest,
): Promise<ScoresPlan> {
  const { database, project } = ledger
  const live = await champion(database.pool, model)
  const version = live && (await findVersion(database.pool, model, live.version))
  if (version === undefined) {
    throw new ConfigurationError(await noChampion(ledger, model, asOf))
  }
  const view = viewNamed(project, version.view)
  await repairFile(ledger, 'features', view.name, asOf)
  await repairFile(ledger, 'scores', model, asOf)
  const features = forced ? FORCED : await currencyOf(ledger, view, asOf)
  if (!features.current) return { current: false, refresh: view }
  const wanted = { version: version.version, features: features.run }
  const scores = await scoresCurrency(database, model, asOf, wanted)
  return scores.current ? scores : { current: false, refresh: undefined }
}

/** What can be done without a champion: `run` publishes the scores of champions alone. */
async function noChampion({ database }: NightLedger, model: string, asOf: AsOf): Promise<string> {
  const [newest] = await listVersions(database.pool, model)
  if (newest === undefined)
    return `model ${model} has no version yet: nightshift register ${model} FILE.onnx, then nightshift run ${model} --as-of ${asOf.label} --version 1`
  const { version } = newest
  return (
    `model ${model} has no champion, whose scores alone are published. Score the night with version ${version} for yourself: nightshift run ${model} --as-of ${asOf.label} --version ${version}; ` +
    `what it lacks to go live: nightshift check ${model}; go live: nightshift promote ${model} --version ${version}`
  )
}

/**
 * Requests the features that the plan refreshes, and the scores.
 * @returns `features`: the run that refreshes them; `joined`: the run that is already working on the scores
 */
export async function startScores(
  { database, project }: ProjectLedger,
  model: string,
  refresh: View | undefined,
  request: NightRequest,
): Promise<{ features: string | undefined; slot: Slot; joined: string | undefined }> {
  const features =
    refresh === undefined ? undefined : await startFeatures({ database, project }, refresh, request)
  const { asOf, forced, by } = request
  const settings = settingsFor(project, 'scores', model)
  const scores = await requestScores(database, model, asOf, { trigger: 'manual', forced, settings, by })
  return { features, ...scores }
}

/** Compares a night of a view with what a run would compute now. The published file is repaired first. */
export async function planFeatures(
  ledger: NightLedger,
  view: View,
  { asOf, forced }: NightRequest,
): Promise<Currency> {
  await repairFile(ledger, 'features', view.name, asOf)
  return forced ? FORCED : currencyOf(ledger, view, asOf)
}

/** @returns the run that refreshes the features */
export async function startFeatures(
  { database, project }: ProjectLedger,
  view: View,
  { asOf, forced, by }: NightRequest,
): Promise<string> {
  const settings = settingsFor(project, 'features', view.name)
  const { run } = await requestFeatures(database, view.name, asOf, {
    trigger: 'manual',
    forced,
    settings,
    by,
  })
  return run
}

const FORCED: Currency = { current: false, reason: 'forced' }

async function repairFile(
  { database, project, log, onRepaired }: NightLedger,
  kind: 'features' | 'scores',
  name: string,
  { label }: AsOf,
): Promise<void> {
  const context = { database, warehouse: project.warehouse, project: () => project, log }
  const repaired = await putRight(context, kind, name, label)
  if (repaired !== undefined) onRepaired(repaired)
}

async function currencyOf({ database, project }: ProjectLedger, view: View, asOf: AsOf): Promise<Currency> {
  return withChild(project, async (children, stop) => {
    try {
      return await featuresCurrency({ database, children, list: listFiles }, project, view, asOf)
    } catch (error) {
      stop.throwIfAborted()
      // The inputs cannot be compared (a missing file, broken SQL): the run itself meets and records the same error.
      return { current: false, reason: error instanceof Error ? error.message : String(error) }
    }
  })
}

import type { ClientBase } from 'pg'
import { startBackfill } from '../../jobs/backfills/start-backfill.ts'
import { settingsFor } from '../../jobs/request-run.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { withTriedLock } from '../../ledger/connection/try-lock.ts'
import { briefRuns } from '../../ledger/nights/latest.ts'
import { contentOfRun, publishedRun } from '../../ledger/nights/published.ts'
import { contentOf, publishingRuns } from '../../ledger/nights/run-records.ts'
import { listSlots, type Slot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { viewNamed } from '../../project/named.ts'
import type { Model } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { promote } from '../../registry/champion.ts'
import { historyOf, liveBefore } from '../../registry/history-records.ts'
import { champion, findVersion, type Version } from '../../registry/version-records.ts'
import { shadowScores } from '../../registry/warm.ts'
import { finishPublication } from '../../workers/attempt/publication.ts'
import type { Context } from '../../workers/context.ts'
import { planNights } from '../nights/plan-nights.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { commit, discard, type Prepared, prepare } from './republish.ts'

const MAX_ACTIVE = 4

export interface RollbackRequest {
  /** Default: the previous champion. */
  to?: number | undefined
  /** The first night to restore; default: the newest night only. */
  from?: string | undefined
  reason?: string | undefined
  by: string | null
}

/** From the champion to an earlier one. They are the same if an earlier rollback is completed. */
export interface RollbackTarget {
  from: number
  to: Version
}

/**
 * Tells `work` whether this process holds the lock of the model's rollbacks (`mine`). The lock does not guard the champion,
 * which a compare-and-swap does: it only prevents completing another process's running rollback.
 */
export function withRollbackLock<T>(
  { database }: ProjectLedger,
  { name }: Model,
  work: (mine: boolean) => Promise<T>,
): Promise<T> {
  return withTriedLock(database.pool, ['nightshift.rollback', name], work)
}

/** The version to roll back to. Throws a ConfigurationError if there is none, or if another rollback is restoring nights. */
export async function rollbackTarget(
  ledger: ProjectLedger,
  model: Model,
  { to: requested }: Pick<RollbackRequest, 'to'>,
  mine: boolean,
): Promise<RollbackTarget> {
  const current = await champion(ledger.database.pool, model.name)
  const to = await target(ledger, model, current?.version, requested)
  if (current === undefined || to === undefined) {
    throw new ConfigurationError(
      `rollback ${model.name}: no other version was champion before; give one with --to N, or take it out of service with --withdraw`,
    )
  }
  if (to.version === current.version && !mine) {
    throw new ConfigurationError(
      `rollback ${model.name}: version ${to.version} is the champion already, and another rollback is restoring its nights now`,
    )
  }
  return { from: current.version, to }
}

/**
 * Makes the version champion again and publishes its shadow scores for the newest night (with `from`, for all nights from
 * it on) in the same transaction. `mine`: also completes an interrupted rollback. Throws a ConfigurationError if there is
 * nothing to do.
 * @returns labels of the published nights, and the slots to score again
 */
export async function rollBack(
  context: Context,
  model: Model,
  between: RollbackTarget,
  request: RollbackRequest,
  mine: boolean,
): Promise<{ republished: string[]; cold: Slot[] }> {
  const { from, to } = between
  const ledger = { database: context.database, project: context.project() }
  const finished = mine ? await finishCommitted(context, model) : []
  const nights = await nightsOf(ledger, model, to, request.from)
  if (to.version === from && nights.length + finished.length === 0) {
    throw new ConfigurationError(`rollback ${model.name}: version ${to.version} is the champion already`)
  }
  const also = await republish(context, model, between, nights, request)
  const republished = [...finished, ...also]
  return { republished, cold: nights.filter((slot) => !republished.includes(slot.partition)) }
}

/**
 * The version to roll back to. A rollback undoes the last promotion, so a second one goes further back and never forward.
 * If a rollback was killed after the champion had changed, the next one completes it.
 */
async function target(
  ledger: ProjectLedger,
  model: Model,
  current: number | undefined,
  requested: number | undefined,
): Promise<Version | undefined> {
  const { pool } = ledger.database
  const changes = (await historyOf(pool, model.name)).filter(({ event }) => CHANGES.has(event))
  const live = current === undefined ? undefined : await findVersion(pool, model.name, current)
  const last = changes.at(-1)
  if (requested === undefined && live !== undefined && last?.event === 'rolled back') {
    const open = await nightsOf(ledger, model, live, undefined)
    const [newest] = open
    if (newest?.published_at != null && newest.published_at < last.at) return live
  }
  const to = requested ?? liveBefore(changes)
  if (to === undefined) return undefined
  const version = await findVersion(pool, model.name, to)
  if (version === undefined) {
    throw new ConfigurationError(
      `rollback ${model.name}: expected --to to be a registered version, got: ${to}`,
    )
  }
  return version
}

const CHANGES: ReadonlySet<string> = new Set(['promoted', 'rolled back', 'withdrawn'])

/** Completes nights that an earlier rollback committed but did not move into place. */
async function finishCommitted(context: Context, { name }: Model): Promise<string[]> {
  const runs = await publishingRuns(context.database.pool, name, 'rollback')
  for (const { id } of runs) await finishPublication(context, id)
  return runs.map(({ partition }) => partition)
}

/** Published nights with another version's scores: the newest one, or all from an as-of on. Newest first. */
async function nightsOf(
  ledger: ProjectLedger,
  model: Model,
  to: Version,
  from: string | undefined,
): Promise<Slot[]> {
  const selected = await publishedNights(ledger, model, from)
  const current = await briefRuns(
    ledger.database.pool,
    selected.flatMap(({ published_run }) => published_run ?? []),
  )
  return selected.filter(({ published_run }) => current.get(published_run ?? '')?.version !== to.version)
}

/** The newest published night, or all from an as-of on. Newest first. */
export async function publishedNights(
  { project, database }: ProjectLedger,
  model: Model,
  from: string | undefined,
): Promise<Slot[]> {
  const since = from === undefined ? undefined : parseAsOf(from, project.timezone).instant
  const published = (await listSlots(database.pool, { kind: 'scores', name: model.name }))
    .filter((slot) => slot.published_run !== null)
    .sort((a, b) => Date.parse(b.as_of) - Date.parse(a.as_of))
  return since === undefined
    ? published.slice(0, 1)
    : published.filter((slot) => Date.parse(slot.as_of) >= Date.parse(since))
}

/** Changes the champion and publishes its shadow scores, in one transaction. Returns the nights. */
async function republish(
  context: Context,
  model: Model,
  { from, to }: RollbackTarget,
  nights: Slot[],
  { by, reason }: RollbackRequest,
): Promise<string[]> {
  const { database } = context
  const project = context.project()
  const { entity } = viewNamed(project, to.view)
  const prepared: Prepared[] = []
  for (const slot of nights) {
    const shadow = await shadowScores(database.pool, model.name, to.version, slot.partition)
    const features = await publishedRun(database.pool, 'features', to.view, slot.partition)
    // If the features were published again since, this version would score them differently now.
    if (shadow === undefined || features === undefined) continue
    if ((await contentOfRun(database.pool, shadow.features_run)) !== contentOf(features)) continue
    prepared.push(await prepare(context, slot, shadow, entity))
  }
  const committed: Prepared[] = []
  const also = async (client: ClientBase) => {
    const settings = settingsFor(project, 'scores', model.name)
    const why = reason ?? `rolled back to version ${to.version}`
    for (const each of prepared) {
      const how = { by, reason: why, settings, worker: context.id }
      if (await commit(client, context.warehouse, each, how)) committed.push(each)
    }
  }
  try {
    if (to.version === from) await transaction(database, also)
    else {
      await promote(database, {
        model: model.name,
        version: to.version,
        expected: from,
        by,
        reason: reason ?? null,
        event: 'rolled back',
        evidence: { republished: prepared.map(({ slot }) => slot.partition) },
        also,
      })
    }
  } catch (error) {
    for (const each of prepared) await discard(context, each)
    throw error
  }
  for (const each of committed) await finishPublication(context, each.run)
  for (const each of prepared) if (!committed.includes(each)) await discard(context, each)
  return committed.map(({ slot }) => slot.partition)
}

/**
 * Starts a backfill of the nights without shadow scores of the version.
 * @returns its number; undefined if another backfill has them
 */
export async function rescoreNights(
  { project, database }: ProjectLedger,
  model: Model,
  to: Version,
  nights: Slot[],
  by: string | null,
): Promise<number | undefined> {
  const asOfs: AsOf[] = nights.map((slot) => parseAsOf(slot.partition, project.timezone))
  const request = { mode: 'all', version: to.version, maxActive: MAX_ACTIVE } as const
  const plan = await planNights({ project, database }, model.name, asOfs, request)
  return startBackfill(database, plan, asOfs, {
    maxActive: MAX_ACTIVE,
    mode: 'all',
    settings: settingsFor(project, 'scores', model.name),
    by,
  })
}

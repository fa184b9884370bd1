import type { ClientBase } from 'pg'
import { commit, discard, type Prepared, prepare } from '../../actions/republish.ts'
import type { GlobalOptions } from '../../cli.ts'
import { duration } from '../../format/elapsed.ts'
import { type Host, openHost } from '../../host/host.ts'
import { type Session, withSession } from '../../host/session.ts'
import { startBackfill } from '../../jobs/backfills/start-backfill.ts'
import { settingsFor } from '../../jobs/request-run.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { publishedRun } from '../../ledger/nights/published.ts'
import { listSlots, type Slot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import { promote } from '../../registry/champion.ts'
import { championChanges } from '../../registry/history-records.ts'
import { champion, findVersion, type Version } from '../../registry/version-records.ts'
import { shadowScores } from '../../registry/warm.ts'
import { finishPublication } from '../../workers/attempt/publication.ts'
import { authorNamed, modelNamed, viewNamed } from '../terminal/find.ts'
import { watchBackfill } from '../terminal/follow-backfill.ts'
import { printJson, printLine } from '../terminal/print.ts'
import { planFor } from './backfill.ts'

interface Options extends GlobalOptions {
  to?: number
  from?: string
  reason?: string
  by?: string
}

const MAX_ACTIVE = 4

/**
 * `rollback MODEL [--to N] [--from D]`: makes the previous champion the champion again. Its shadow scores replace those of
 * the newest night (with --from, of all nights from D on) in the same transaction; nights without shadow scores are
 * scored again.
 */
export default function rollback([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const model = modelNamed(session.project, name)
    return withLock(session, model, (mine) => rollBack(session, model, options, mine))
  })
}

/**
 * Tells `work` whether this process holds the model's rollback lock, which is released when the process ends in any way.
 * The lock does not guard the champion, which a compare-and-swap does: it only prevents completing another's rollback.
 */
async function withLock(
  { database }: Session,
  { name }: Model,
  work: (mine: boolean) => Promise<number>,
): Promise<number> {
  const client = await database.pool.connect()
  try {
    const { rows } = await client.query<{ mine: boolean }>(
      `select pg_try_advisory_lock(hashtext('nightshift.rollback'), hashtext($1)) as mine`,
      [name],
    )
    return await work(rows[0]?.mine === true)
  } finally {
    // A lost connection has already released its lock.
    await client.query(`select pg_advisory_unlock_all()`).catch(() => {})
    client.release()
  }
}

async function rollBack(session: Session, model: Model, options: Options, mine: boolean): Promise<number> {
  const start = performance.now()
  const { project, database } = session
  const by = authorNamed(project, options.by, 'rollback')
  const current = await champion(database.pool, model.name)
  const to = await target(session, model, current?.version, options.to)
  if (current === undefined || to === undefined) {
    throw new ConfigurationError(
      `rollback ${model.name}: no other version was champion before; give one with --to N`,
    )
  }
  if (to.version === current.version && !mine) {
    throw new ConfigurationError(
      `rollback ${model.name}: version ${to.version} is the champion already, and another rollback is restoring its nights now`,
    )
  }
  const host = await openHost(session, { role: 'command', places: 0, scope: 'requested' })
  let nights: Slot[]
  let republished: string[]
  try {
    const finished = mine ? await finishCommitted(session, host, model) : []
    nights = await nightsOf(session, model, to, options.from)
    if (to.version === current.version && nights.length + finished.length === 0) {
      throw new ConfigurationError(`rollback ${model.name}: version ${to.version} is the champion already`)
    }
    const also = await republish(session, host, model, { to, nights, from: current.version, by, options })
    republished = [...finished, ...also]
  } finally {
    await host.close()
  }
  const seconds = (performance.now() - start) / 1000
  const cold = nights.filter((slot) => !republished.includes(slot.partition))
  if (!options.json) {
    printLine(
      to.version === current.version
        ? `version ${to.version} of ${model.name} is the champion already; its nights are restored`
        : `version ${to.version} of ${model.name} is the champion again, version ${current.version} was`,
    )
    if (republished.length > 0) {
      printLine(
        `  its existing scores of ${nightsText(republished)} are published: ${duration(seconds * 1000)}`,
      )
    }
    if (cold.length > 0) printLine(`  ${nightsText(cold.map((slot) => slot.partition))}: scored again`)
  }
  const rescored = await rescore(session, model, to, cold, { by, options })
  const result = {
    from: current.version,
    to: to.version,
    seconds: (performance.now() - start) / 1000,
    rescored: rescored.published,
    republished,
    failed: rescored.failed,
  }
  if (options.json) printJson(result)
  return rescored.failed.length === 0 ? 0 : 1
}

/**
 * The version to roll back to. A rollback undoes the last promotion, so a second one goes further back and never forward.
 * If a rollback was killed after the champion had changed, the next one completes it.
 */
async function target(
  session: Session,
  model: Model,
  current: number | undefined,
  requested: number | undefined,
): Promise<Version | undefined> {
  const { pool } = session.database
  const changes = await championChanges(pool, model.name)
  const live = current === undefined ? undefined : await findVersion(pool, model.name, current)
  const last = changes.at(-1)
  if (requested === undefined && live !== undefined && last?.event === 'rolled back') {
    const open = await nightsOf(session, model, live, undefined)
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

function liveBefore(changes: Awaited<ReturnType<typeof championChanges>>): number | undefined {
  const live: number[] = []
  for (const { event, version } of changes) {
    const known = event === 'rolled back' ? live.lastIndexOf(version) : -1
    if (known >= 0) live.length = known + 1
    else live.push(version)
  }
  return live.at(-2)
}

/** Completes nights that an earlier rollback committed but did not move into place. */
async function finishCommitted({ database }: Session, { context }: Host, model: Model): Promise<string[]> {
  const { rows } = await database.pool.query<{ id: string; partition: string }>(
    `select id, partition from nightshift.runs
      where kind = 'scores' and name = $1 and state = 'publishing' and trigger = 'rollback'`,
    [model.name],
  )
  for (const { id } of rows) await finishPublication(context, id)
  return rows.map(({ partition }) => partition)
}

/** Published nights with another version's scores: the newest one, or all from an as-of on. Newest first. */
async function nightsOf(
  { project, database }: Session,
  model: Model,
  to: Version,
  from: string | undefined,
): Promise<Slot[]> {
  const since = from === undefined ? undefined : parseAsOf(from, project.timezone).instant
  const published = (await listSlots(database.pool, { kind: 'scores', name: model.name }))
    .filter((slot) => slot.published_run !== null)
    .sort((a, b) => Date.parse(b.as_of) - Date.parse(a.as_of))
  const selected =
    since === undefined
      ? published.slice(0, 1)
      : published.filter((slot) => Date.parse(slot.as_of) >= Date.parse(since))
  const { rows } = await database.pool.query<{ id: string }>(
    'select id from nightshift.runs where id = any($1) and version = $2',
    [selected.map((slot) => slot.published_run), to.version],
  )
  const own = new Set(rows.map((row) => row.id))
  return selected.filter((slot) => !own.has(slot.published_run ?? ''))
}

interface Rollback {
  to: Version
  from: number
  nights: Slot[]
  by: string | null
  options: Options
}

/** Changes the champion and publishes its shadow scores, in one transaction. Returns the nights. */
async function republish(
  { project, database }: Session,
  { context }: Host,
  model: Model,
  { to, from, nights, by, options }: Rollback,
): Promise<string[]> {
  const { entity } = viewNamed(project, to.view)
  const prepared: Prepared[] = []
  for (const slot of nights) {
    const shadow = await shadowScores(database.pool, model.name, to.version, slot.partition)
    const features = await publishedRun(database.pool, 'features', to.view, slot.partition)
    // If the features were published again since, this version would score them differently now.
    if (shadow === undefined || shadow.features_run !== features?.id) continue
    prepared.push(await prepare(context, slot, shadow, entity))
  }
  const committed: Prepared[] = []
  const also = async (client: ClientBase) => {
    const settings = settingsFor(project, 'scores', model.name)
    const reason = options.reason ?? `rolled back to version ${to.version}`
    for (const each of prepared) {
      const how = { by, reason, settings, worker: context.id }
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
        reason: options.reason ?? null,
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

/** Scores the nights again for which the version has no shadow scores. */
async function rescore(
  session: Session,
  model: Model,
  to: Version,
  nights: Slot[],
  { by, options }: { by: string | null; options: Options },
): Promise<{ published: number; failed: string[] }> {
  if (nights.length === 0) return { published: 0, failed: [] }
  const { project, database } = session
  const asOfs: AsOf[] = nights.map((slot) => parseAsOf(slot.partition, project.timezone))
  const asked = { project: project.root, from: '', to: '', all: true, version: to.version }
  const plan = await planFor(session, model.name, asOfs, MAX_ACTIVE, asked)
  const id = await startBackfill(database, plan, asOfs, {
    maxActive: MAX_ACTIVE,
    forced: true,
    settings: settingsFor(project, 'scores', model.name),
    by,
  })
  if (id === undefined) return { published: 0, failed: nights.map((slot) => slot.partition) }
  const { backfill, broken } = await watchBackfill(session, id, options)
  return { published: backfill.published, failed: broken.map(({ partition }) => partition) }
}

function nightsText(labels: string[]): string {
  return labels.length <= 3 ? labels.join(', ') : `${labels.length} nights, ${labels.at(-1)} to ${labels[0]}`
}

import type { GlobalOptions } from '../cli.ts'
import { startBackfill } from '../jobs/backfill/start.ts'
import { publishedRun } from '../jobs/published.ts'
import { settingsFor } from '../jobs/request.ts'
import { listSlots, type Slot } from '../jobs/slots.ts'
import { type AsOf, parseAsOf } from '../project/asof.ts'
import { ConfigurationError } from '../project/problem.ts'
import type { Model } from '../project/project.ts'
import { championChanges } from '../registry/history.ts'
import { promote } from '../registry/promote.ts'
import { champion, findVersion, type Version } from '../registry/versions.ts'
import { shadowScores } from '../registry/warm.ts'
import { finishPublication } from '../workers/publication.ts'
import { commit, discard, type Prepared, prepare } from '../workers/republish.ts'
import { planFor } from './backfill.ts'
import { modelNamed, personNamed, viewNamed } from './find.ts'
import { watchBackfill } from './follow-backfill.ts'
import { type Host, openHost } from './host.ts'
import { printJson, printLine } from './print.ts'
import { type Session, withSession } from './session.ts'

interface Options extends GlobalOptions {
  to?: number
  from?: string
  reason?: string
  by?: string
}

const MAX_ACTIVE = 4

/**
 * `rollback MODEL [--to N] [--from D]`: the version that was champion before is champion again. Scores that it made in
 * shadow take the place of the newest night's (from D on with --from) in the same moment; nights that it did not score
 * are scored again.
 */
export default function rollback([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const start = performance.now()
    const { project, database } = session
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const current = await champion(database.pool, model.name)
    const to = await target(session, model, current?.version, options.to)
    if (current === undefined || to === undefined) {
      throw new ConfigurationError(
        `rollback ${model.name}: no other version was champion before; name one with --to N`,
      )
    }
    const nights = await nightsOf(session, model, to, options.from)
    const host = await openHost(session, { role: 'command', places: 0, scope: 'requested' })
    let republished: string[]
    try {
      republished = await republish(session, host, model, { to, nights, from: current.version, by, options })
    } finally {
      await host.close()
    }
    const seconds = (performance.now() - start) / 1000
    const cold = nights.filter((slot) => !republished.includes(slot.partition))
    if (!options.json) {
      printLine(
        `version ${to.version} of ${model.name} is the champion again, version ${current.version} was`,
      )
      if (republished.length > 0) {
        printLine(
          `  its scores of ${said(republished)} were there, and are published: ${seconds.toFixed(1)} s`,
        )
      }
      if (cold.length > 0) printLine(`  ${said(cold.map((slot) => slot.partition))}: scored again`)
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
  })
}

async function target(
  { database }: Session,
  model: Model,
  current: number | undefined,
  wanted: number | undefined,
): Promise<Version | undefined> {
  const changes = await championChanges(database.pool, model.name)
  const to = wanted ?? changes.map((entry) => entry.version).findLast((version) => version !== current)
  if (to === undefined) return undefined
  if (to === current) {
    throw new ConfigurationError(`rollback ${model.name}: version ${to} is the champion already`)
  }
  const version = await findVersion(database.pool, model.name, to)
  if (version === undefined) {
    throw new ConfigurationError(
      `rollback ${model.name}: expected --to to be a registered version, got: ${to}`,
    )
  }
  return version
}

/** Published nights that have another version's scores: the newest, or all from an as-of on. Newest first. */
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
  const meant =
    since === undefined
      ? published.slice(0, 1)
      : published.filter((slot) => Date.parse(slot.as_of) >= Date.parse(since))
  const { rows } = await database.pool.query<{ id: string }>(
    'select id from nightshift.runs where id = any($1) and version = $2',
    [meant.map((slot) => slot.published_run), to.version],
  )
  const own = new Set(rows.map((row) => row.id))
  return meant.filter((slot) => !own.has(slot.published_run ?? ''))
}

interface Rollback {
  to: Version
  from: number
  nights: Slot[]
  by: string | null
  options: Options
}

/** Moves the champion and publishes what the shadow scored, in one transaction. Returns the nights. */
async function republish(
  { project, database }: Session,
  { context }: Host,
  model: Model,
  { to, from, nights, by, options }: Rollback,
): Promise<string[]> {
  const { entity } = viewNamed(project, to.view)
  const prepared: Prepared[] = []
  for (const slot of nights) {
    const shadow = await shadowScores(database.pool, model.name, to.version, slot.as_of)
    const features = await publishedRun(database.pool, 'features', to.view, slot.as_of)
    // Scores of features that were published again since are not what this version would say now.
    if (shadow === undefined || shadow.features_run !== features?.id) continue
    prepared.push(await prepare(context, slot, shadow, entity))
  }
  const committed: Prepared[] = []
  try {
    await promote(database, {
      model: model.name,
      version: to.version,
      expected: from,
      by,
      reason: options.reason ?? null,
      event: 'rolled back',
      evidence: { republished: prepared.map(({ slot }) => slot.partition) },
      also: async (client) => {
        const settings = settingsFor(project, 'scores', model.name)
        for (const each of prepared) {
          const how = {
            by,
            reason: options.reason ?? `rolled back to version ${to.version}`,
            settings,
            worker: context.id,
          }
          if (await commit(client, context.warehouse, each, how)) committed.push(each)
        }
      },
    })
  } catch (error) {
    for (const each of prepared) await discard(context, each)
    throw error
  }
  for (const each of committed) await finishPublication(context, each.run)
  for (const each of prepared) if (!committed.includes(each)) await discard(context, each)
  return committed.map(({ slot }) => slot.partition)
}

/** Scores the nights again that the version had not scored in shadow. */
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

function said(labels: string[]): string {
  return labels.length <= 3 ? labels.join(', ') : `${labels.length} nights, ${labels.at(-1)} to ${labels[0]}`
}

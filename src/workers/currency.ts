import { availableParallelism } from 'node:os'
import type { Database } from '../ledger/connection/database.ts'
import { publishedRun, scoredContent } from '../ledger/nights/published.ts'
import { contentOf, type Run } from '../ledger/nights/run-records.ts'
import { findSlot, slotTitle } from '../ledger/nights/slots.ts'
import type { ListingRequest } from '../pipeline/sources/listing.ts'
import type { Stale } from '../pipeline/sources/staleness.ts'
import { subjectOf } from '../program/subject.ts'
import { isObjectPath } from '../project/object-path.ts'
import type { Project, View } from '../project/project.ts'
import { type AsOf, parseAsOf } from '../project/time/asof.ts'
import type { Children, TaskOptions } from './child/children.ts'
import { looksOf, recordLooks } from './looks.ts'
import { type Repairer, repairPublished } from './repair-published.ts'

/** Whether a published partition is still what a run would compute now, and if not, why. */
export type Currency = { current: true; run: Run } | { current: false; reason: string }

interface CurrencyContext {
  database: Database
  children: Children
  /** Lists the files of sources. Default: a child does, since many folders take long. */
  list?: (request: ListingRequest) => { digest: string }
}

/**
 * Verifies that the published file matches the ledger to the last byte, and repairs it if not.
 * @returns what was done, undefined if nothing
 */
export async function putRight(
  context: Repairer,
  kind: Run['kind'],
  name: string,
  label: string,
): Promise<string | undefined> {
  const slot = await findSlot(context.database.pool, kind, name, label)
  if (slot === undefined || slot.published_run === null) return undefined
  const repaired = await repairPublished(context, slot.id, { fully: true })
  return repaired.state === 'right' ? undefined : `${slotTitle(slot)}: ${repaired.action}`
}

/** Compares the inputs of a view's partition with the current files. */
export async function featuresCurrency(
  context: CurrencyContext,
  project: Project,
  view: View,
  asOf: AsOf,
): Promise<Currency> {
  const run = await publishedRun(context.database.pool, 'features', view.name, asOf.label)
  if (run === undefined) return { current: false, reason: 'not published yet' }
  const reason = (await staleOf(context, project, [{ view, ids: [run.id] }], {})).get(run.id)
  return reason === undefined ? { current: true, run } : { current: false, reason }
}

/** Whether a model's scores are those of this version on features of this content. */
export async function scoresCurrency(
  database: Database,
  model: string,
  asOf: AsOf,
  wanted: { version: number; features: Run },
): Promise<Currency> {
  const run = await publishedRun(database.pool, 'scores', model, asOf.label)
  if (run === undefined) return { current: false, reason: 'not published yet' }
  if (run.version !== wanted.version) {
    return {
      current: false,
      reason: `published by version ${run.version}, champion is version ${wanted.version}`,
    }
  }
  const scored = await scoredContent(database.pool, run)
  if (scored !== contentOf(wanted.features)) return { current: false, reason: 'the features have changed' }
  return { current: true, run }
}

/** Number of partitions whose inputs are sent to the child at once. */
const BATCH = 50

/**
 * Why these published runs (ids) are not what would be computed now, by id: features whose inputs or view have
 * changed, and scores of features that have, or that were published again since with other content. What is current is left out, as are
 * views that the project does not have any more.
 */
export async function findStale(
  context: CurrencyContext,
  project: Project,
  ids: string[],
  options: TaskOptions = {},
): Promise<Map<string, string>> {
  const { pool } = context.database
  const { rows: runs } = await pool.query<StandingRun>(STANDING, [ids])
  const scores = runs.filter(({ kind }) => kind === 'scores')
  const onStanding = scores.filter(isOnStanding)
  const features = [
    ...runs.filter(({ kind }) => kind === 'features').map(({ id }) => id),
    ...onStanding.flatMap(({ features_now }) => features_now ?? []),
  ]
  const stale = await staleFeatures(context, project, [...new Set(features)], options)
  for (const run of scores) {
    const reason = staleScores(run, stale)
    if (reason !== undefined) stale.set(run.id, reason)
  }
  return stale
}

interface StandingRun {
  id: string
  kind: Run['kind']
  /** Of scores: the run whose features stand now; null where none do. */
  features_now: string | null
  /** Its content, and the content that they were computed from: see `contentOf`. */
  content_now: string | null
  content_scored: string | null
}

const STANDING = `
select r.id, r.kind, f.published_run as features_now, coalesce(n.content, n.id) as content_now,
       coalesce(t.content, r.metadata->>'features_run') as content_scored
  from nightshift.runs r
  left join nightshift.slots f
    on r.kind = 'scores' and f.kind = 'features' and f.name = r.metadata->>'view' and f.partition = r.partition
  left join nightshift.runs n on n.id = f.published_run
  left join nightshift.runs t on t.id = r.metadata->>'features_run'
 where r.id = any($1)`

/** Computed from what stands now, whether it was published once or several times with the same content. */
function isOnStanding(run: StandingRun): boolean {
  return run.content_scored === run.content_now
}

async function staleFeatures(
  context: CurrencyContext,
  project: Project,
  ids: string[],
  options: TaskOptions,
): Promise<Map<string, string>> {
  const { rows } = await context.database.pool.query<Pick<Run, 'id' | 'name'>>(
    'select id, name from nightshift.runs where id = any($1)',
    [ids],
  )
  const views = Object.values(project.views).map((view) => ({
    view,
    ids: rows.filter(({ name }) => name === view.name).map(({ id }) => id),
  }))
  return staleOf(
    context,
    project,
    views.filter((each) => each.ids.length > 0),
    options,
  )
}

/**
 * Why features of these views are stale, by run. What was seen once is not looked at again while the view and the files
 * that its sources name are the same.
 */
async function staleOf(
  context: CurrencyContext,
  project: Project,
  views: { view: View; ids: string[] }[],
  options: TaskOptions,
): Promise<Map<string, string>> {
  const asked: { view: View; ids: string[]; subject: string }[] = []
  for (const each of views)
    asked.push({ ...each, subject: await subjectNow(context, project, each.view, options) })
  const looks = await looksOf(
    context.database.pool,
    asked.flatMap(({ ids, subject }) => ids.map((id): [string, string] => [id, subject])),
  )
  const stale = new Map(
    [...looks].flatMap(([id, reason]) => (reason === null ? [] : [[id, reason] as const])),
  )
  for (const { view, ids, subject } of asked) {
    const open = ids.filter((id) => !looks.has(id))
    for (const [id, reason] of await lookAt(context, project, { view, subject }, open, options))
      stale.set(id, reason)
  }
  return stale
}

/** Why features of one view are stale, by run: their inputs are compared with the files, and what was seen is recorded. */
async function lookAt(
  context: CurrencyContext,
  project: Project,
  { view, subject }: { view: View; subject: string },
  open: string[],
  options: TaskOptions,
): Promise<Map<string, string>> {
  const { pool } = context.database
  const stale = new Map<string, string>()
  for (let start = 0; start < open.length; start += BATCH) {
    const { rows } = await pool.query<StoredInputs>(
      'select id, partition, view_hash, inputs from nightshift.runs where id = any($1)',
      [open.slice(start, start + BATCH)],
    )
    const found = await compareInputs(context.children, project, view, rows, options)
    const seen = new Map<string, string | null>()
    rows.forEach(({ id }, index) => {
      const each = found[index]
      if (each !== undefined) stale.set(id, each.reason)
      if (each?.compared !== false) seen.set(id, each?.reason ?? null)
    })
    await recordLooks(pool, subject, seen)
  }
  return stale
}

/** All that decides whether features are stale, beside what they were computed from. */
async function subjectNow(
  { children, list }: CurrencyContext,
  { root, timezone }: Project,
  view: View,
  options: TaskOptions,
): Promise<string> {
  const request = { root, sources: view.sources }
  const isLocal = !Object.values(view.sources).some(({ path }) => isObjectPath(path))
  const { digest } =
    (isLocal ? list?.(request) : undefined) ?? (await children.run('listing', request, options))
  return subjectOf(view, timezone, digest)
}

function staleScores(run: StandingRun, stale: Map<string, string>): string | undefined {
  if (run.features_now === null) return undefined
  if (!isOnStanding(run)) return `its features were published again since, by run ${run.features_now}`
  const features = stale.get(run.features_now)
  return features === undefined ? undefined : `its features are stale: ${features}`
}

type StoredInputs = Pick<Run, 'id' | 'partition' | 'view_hash' | 'inputs'>

function compareInputs(
  children: Children,
  project: Project,
  view: View,
  runs: StoredInputs[],
  options: TaskOptions,
): Promise<(Stale | undefined)[]> {
  const request = {
    root: project.root,
    view,
    timezone: project.timezone,
    threads: availableParallelism(),
    partitions: runs.map((run) => ({
      asOf: parseAsOf(run.partition, project.timezone),
      viewHash: run.view_hash,
      inputs: run.inputs,
    })),
  }
  return children.run('staleness', request, options)
}

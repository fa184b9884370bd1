import { loadBackfillSlots, loadPastRuns, takenNights } from '../../jobs/backfills/backfill-slots.ts'
import {
  type BackfillMode,
  type BackfillPlan,
  type BackfillSlot,
  planBackfill,
  type VersionChoice,
} from '../../jobs/backfills/plan-backfill.ts'
import { expandSlots, mergeSlots } from '../../jobs/planning/calendar.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { championChanges } from '../../registry/history-records.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { staleAmong } from '../stale-partitions.ts'

export interface BackfillRequest {
  mode: BackfillMode
  /** Default: the current champion. */
  version?: number | undefined
  /** Uses for each night the version that was champion when the night was due. */
  asWas?: boolean | undefined
  /** Nights that run concurrently. */
  maxActive: number
}

/**
 * Plans a backfill of a model, night by night; starts nothing. Throws a ConfigurationError if the version is not
 * registered.
 */
export async function planNights(
  ledger: ProjectLedger,
  model: string,
  asOfs: AsOf[],
  request: BackfillRequest,
): Promise<BackfillPlan> {
  const { project, database } = ledger
  const { pool } = database
  const versions = await listVersions(pool, model)
  const views = Object.fromEntries(versions.map((version) => [version.version, [version.view]]))
  const names = [...new Set(versions.map((version) => version.view))]
  const slots = await loadBackfillSlots(pool, 'scores', model, asOfs)
  const viewSlots = await Promise.all(
    names.map(async (view) => [view, await loadBackfillSlots(pool, 'features', view, asOfs)] as const),
  )
  const stale = await staleAmong(ledger, [...slots, ...viewSlots.flatMap(([, own]) => own)])
  const withStale = (own: BackfillSlot[]) =>
    own.map((slot) => ({ ...slot, stale: stale.get(slot.published_run ?? '') }))
  return planBackfill({
    now: (await ledgerNow(pool)).toISOString(),
    kind: 'scores',
    name: model,
    asOfs,
    slots: withStale(slots),
    mode: request.mode,
    versions: await choiceOf({ pool, model, known: versions.map((version) => version.version) }, request),
    views,
    viewSlots: Object.fromEntries(viewSlots.map(([view, own]) => [view, withStale(own)])),
    taken: await takenNights(pool, model),
    dues: request.asWas === true ? duesOf(project, model, asOfs) : {},
    latestFirst: true,
    maxActive: request.maxActive,
    past: {
      own: await loadPastRuns(pool, 'scores', [model]),
      views: await loadPastRuns(pool, 'features', names),
    },
  })
}

/** When the calendar runs, or would have run, each as-of: the earliest tick of the schedules that score the model. */
function duesOf(project: Project, model: string, asOfs: AsOf[]): Record<string, string> {
  const instants = asOfs.map((asOf) => Date.parse(asOf.instant))
  const from = new Date(Math.min(...instants)).toISOString()
  // A tick is within its as-of's day in any zone; the schedule's own zone may shift it by half a day.
  const to = new Date(Math.max(...instants) + 2 * 86_400_000).toISOString()
  const slots = Object.values(project.schedules)
    .filter((schedule) => schedule.score.includes(model))
    .flatMap((schedule) => expandSlots(project, { ...schedule, start: undefined }, from, to))
  return Object.fromEntries(
    mergeSlots(slots.filter((slot) => slot.kind === 'scores' && slot.name === model)).map((slot) => [
      slot.asOf.label,
      slot.due,
    ]),
  )
}

async function choiceOf(
  { pool, model, known }: { pool: Database['pool']; model: string; known: number[] },
  { version, asWas }: BackfillRequest,
): Promise<VersionChoice> {
  if (version !== undefined) {
    if (!known.includes(version)) {
      throw new ConfigurationError(
        `backfill: expected --version to be a registered one (${known.toReversed().join(', ') || 'none is registered'}), got: ${version}`,
      )
    }
    return { use: 'version', version }
  }
  if (asWas) {
    const changes = await championChanges(pool, model)
    return { use: 'as-was', champions: changes.map((change) => ({ at: change.at, version: change.version })) }
  }
  return { use: 'champion', version: (await champion(pool, model))?.version }
}

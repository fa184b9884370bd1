import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { Slot } from '../../ledger/nights/slots.ts'
import { loadBackfillSlots } from './backfill-slots.ts'
import type { FedNight } from './decide-night.ts'
import type { BackfillMode, BackfillSlot, NightAsOf } from './plan-backfill.ts'

/** Why published runs (ids) are not what would be computed now, by id; what is current is left out. */
export type FindStale = (runs: string[]) => Promise<Map<string, string>>

/** A night whose turn has come, as the backfill's list has it. */
export interface NightRow {
  position: number
  as_of: string
  partition: string
  version: number | null
  /** The view that the plan refreshes first; null: none. */
  refresh: string | null
  /** The view that the night's version scores. */
  view: string | null
}

/** A night with what was seen of it, from which was decided. */
export interface SeenNight {
  row: NightRow
  night: FedNight
  /** Recorded in the ledger after the backfill was started. */
  publishedSince: boolean
}

export interface NextNights {
  id: number
  model: string
  mode: BackfillMode | null
  createdAt: string
  rows: NightRow[]
}

/**
 * Looks at the next nights of a backfill as they are now; reads inputs only of what is published. Undefined where another
 * process looks at them: that takes a minute at most, or this one does it after all.
 */
export async function lookAtNights(
  { pool, stale, log }: { pool: Pool; stale: FindStale; log: Pick<Logger, 'warn'> },
  next: NextNights,
): Promise<SeenNight[] | undefined> {
  const asOfs = next.rows.map(asOfOf)
  const views = [...new Set(next.rows.flatMap(({ view }) => view ?? []))]
  const [scores, ...ofViews] = await Promise.all([
    loadBackfillSlots(pool, 'scores', next.model, asOfs),
    ...views.map((view) => loadBackfillSlots(pool, 'features', view, asOfs)),
  ])
  const features = new Map(views.map((view, index) => [view, ofViews[index] ?? []]))
  // Whether scores are stale matters to the one mode alone; whether features are, to each.
  const published = [...(next.mode === 'stale' ? scores : []), ...ofViews.flat()].flatMap(
    (slot) => slot.published_run ?? [],
  )
  const reasons =
    published.length === 0
      ? new Map<string, string>()
      : await whatIsStale({ pool, stale, log }, next, published)
  if (reasons === undefined) return undefined
  return next.rows.map((row) => {
    const find = (slots: BackfillSlot[]) => slots.find(({ partition }) => partition === row.partition)
    const withReason = (slot: BackfillSlot | undefined, planned: boolean) =>
      slot && {
        ...slot,
        stale: reasons === 'unknown' ? asPlanned(planned) : reasons.get(slot.published_run ?? ''),
      }
    const own = find(scores)
    const of = row.view === null ? undefined : find(features.get(row.view) ?? [])
    return {
      row,
      publishedSince: own?.published_at != null && Date.parse(own.published_at) > Date.parse(next.createdAt),
      night: {
        asOf: asOfOf(row),
        version: row.version,
        view: row.view,
        scores: withReason(own, true),
        features: withReason(of, row.refresh !== null),
      },
    }
  })
}

/** What cannot be looked at is done as it was planned: a backfill that waited would wait in silence. */
async function whatIsStale(
  { pool, stale, log }: { pool: Pool; stale: FindStale; log: Pick<Logger, 'warn'> },
  { id, model }: NextNights,
  runs: string[],
): Promise<Map<string, string> | 'unknown' | undefined> {
  const { rowCount } = await pool.query(
    `update nightshift.backfills set looked_at_until = now() + interval '60 seconds'
      where id = $1 and (looked_at_until is null or looked_at_until < now())`,
    [id],
  )
  if (rowCount === 0) return undefined
  try {
    return await stale(runs)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    log.warn(
      { backfill: Number(id), model },
      `its nights are run as planned: what is stale is not known: ${why}`,
    )
    return 'unknown'
  } finally {
    await pool.query('update nightshift.backfills set looked_at_until = null where id = $1', [id])
  }
}

function asPlanned(planned: boolean): string | undefined {
  return planned ? 'it was when the backfill was planned' : undefined
}

export function asOfOf({ as_of, partition }: Pick<NightRow, 'as_of' | 'partition'>): NightAsOf {
  return { instant: as_of, label: partition }
}

/** Whether a slot still is what was seen of it. */
export function isAsSeen(now: Slot | undefined, seen: BackfillSlot | undefined): boolean {
  return now?.state === seen?.state && now?.run === seen?.run && now?.published_run === seen?.published_run
}

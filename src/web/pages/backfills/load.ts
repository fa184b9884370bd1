import {
  type BackfillNight,
  nightsOfBackfill,
  type Pace,
  paceOf,
  stuckNights,
} from '../../../jobs/backfills/backfill-nights.ts'
import { type Backfill, findBackfill } from '../../../jobs/backfills/backfill-records.ts'
import type { Project } from '../../../project/project.ts'
import { nowAt, type PageContext } from '../../page-context.ts'

/** Squares of one page. */
const NIGHTS = 1000
/** Nights that failed or are held, with their causes. */
const STUCK = 50

/** Everything that the page of a backfill shows. */
export interface BackfillView {
  project: Project
  now: Date
  backfill: Backfill
  page: number
  /** Of this page, oldest first. */
  nights: BackfillNight[]
  isMore: boolean
  stuck: BackfillNight[]
  pace: Pace | undefined
}

export async function loadBackfill(
  pageContext: PageContext,
  id: number,
  page: number,
): Promise<BackfillView | undefined> {
  const { pool } = pageContext.database
  const [backfill, nights, stuck, pace, now] = await Promise.all([
    findBackfill(pool, id),
    nightsOfBackfill(pool, id, { limit: NIGHTS + 1, offset: (page - 1) * NIGHTS }),
    stuckNights(pool, id, STUCK),
    paceOf(pool, id),
    nowAt(pageContext),
  ])
  if (backfill === undefined) return undefined
  return {
    project: pageContext.project(),
    now,
    backfill,
    page,
    nights: nights.slice(0, NIGHTS),
    isMore: nights.length > NIGHTS,
    stuck,
    pace,
  }
}

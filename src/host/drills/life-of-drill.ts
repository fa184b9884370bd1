import { listSlots, type Slot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type AsOf, addDays, asOfRange, grainOf, parseAsOf } from '../../project/time/asof.ts'
import { type Copy, type CopyRequest, inCopy } from '../simulation/copy.ts'
import { type Life, type LifeOptions, openLife } from '../simulation/live-through.ts'
import { outboxOf } from '../simulation/simulation-folder.ts'
import type { DrillRequest } from './drill.ts'

const HOUR_MS = 3_600_000

/**
 * The newest nights that have published features of the version's view, oldest first: their data is there. Where there are
 * fewer than `count`, the nights before the newest fill up. Throws a ConfigurationError if there is none.
 */
export async function drillNights(
  { session: { project, database }, model, version }: DrillRequest,
  count: number,
): Promise<AsOf[]> {
  const slots = await listSlots(database.pool, { kind: 'features', name: version.view })
  const published = slots
    .filter((slot) => slot.published_run !== null)
    .sort((a, b) => Date.parse(b.as_of) - Date.parse(a.as_of))
    .slice(0, count)
    .map((slot) => parseAsOf(slot.partition, project.timezone))
    .reverse()
  const newest = published.at(-1)
  if (newest === undefined) {
    throw new ConfigurationError(
      `drill ${model.name}: expected a night with published features of ${version.view}, got: none; nightshift refresh ${version.view} --as-of DATE`,
    )
  }
  if (published.length === count) return published
  const first =
    grainOf(newest) === 'day'
      ? addDays(newest, 1 - count, project.timezone)
      : parseAsOf(
          `${new Date(Date.parse(newest.instant) - (count - 1) * HOUR_MS).toISOString().slice(0, 13)}Z`,
          project.timezone,
        )
  return asOfRange(first, newest, project.timezone)
}

export interface CopyOfDrill extends Copy {
  life: Life
  nights: AsOf[]
}

/** A copy of the model that lives through these nights and is removed at the end. */
export function inLife<T>(
  request: DrillRequest,
  drill: string,
  {
    nights,
    champions,
    tamper,
    adjust,
  }: Pick<CopyRequest, 'nights' | 'champions' | 'adjust'> & Pick<LifeOptions, 'tamper'>,
  work: (copy: CopyOfDrill) => Promise<T>,
): Promise<T> {
  const { session, model, by, log, signal } = request
  return inCopy(session, model, { nights, champions, by, drill, keep: false, adjust }, async (copy) => {
    const outbox = outboxOf(copy.record.id)
    const life = await openLife({ ...copy, log, outbox, signal, tamper })
    try {
      return await work({ ...copy, life, nights })
    } finally {
      await life.close()
    }
  })
}

/** The last night of the copy. */
export async function nightOf({ database, record, nights }: CopyOfDrill): Promise<Slot> {
  const slots = await listSlots(database.pool, { kind: 'scores', name: record.model })
  const slot = slots.find(({ partition }) => partition === nights.at(-1)?.label)
  if (slot === undefined)
    throw new Error(`the copy has no night ${nights.at(-1)?.label}: is its schedule paused?`)
  return slot
}

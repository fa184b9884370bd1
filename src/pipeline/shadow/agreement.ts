import type { JS } from '@duckdb/node-api'
import type { Engine } from '../engine/duckdb.ts'
import type { Flips, ShadowFigures } from './shadow-figures.ts'

/** Sums of doubles differ in their last bits: equal scores have a correlation and an overlap of exactly 1. */
const DIGITS = 12

/** A rank is the mean place of its equal scores. */
const CORRELATION = `round(corr(fa + (ta - 1) / 2.0, fb + (tb - 1) / 2.0), ${DIGITS})`

/** Spearman over the table `pairs`. */
export async function rankCorrelation(engine: Engine): Promise<number | null> {
  const { correlation } = await engine.row(
    `SELECT CASE WHEN min(a) < max(a) AND min(b) < max(b) THEN ${CORRELATION} END AS correlation FROM pairs`,
  )
  return finite(correlation)
}

/**
 * The share of the `k` highest scores that both sides have. A row above the edge belongs to the top in full; rows at
 * the edge share what places are left. Equal scores everywhere thus give the overlap that chance would give.
 */
export async function topOverlap(engine: Engine, k: number, rows: number): Promise<ShadowFigures['top']> {
  const places = k < 1 ? Math.max(1, Math.round(rows * k)) : Math.min(k, rows)
  if (rows === 0) return { k: 0, overlap: null }
  const share = (side: 'a' | 'b') =>
    `greatest(0, least(1, (${places} - (${rows} - f${side} + 1 - t${side})) / t${side}))`
  const { overlap } = await engine.row(
    `SELECT round(sum(least(${share('a')}, ${share('b')})) / ${places}, ${DIGITS}) AS overlap FROM pairs`,
  )
  return { k: places, overlap: finite(overlap) }
}

/** Columns of a query over rows with decisions `da` and `db`. */
export const FLIPS = `count_if(da IS NOT NULL AND db IS NOT NULL) AS decided,
  count_if(NOT da AND db) AS to_positive, count_if(da AND NOT db) AS to_negative`

export async function flipsOf(engine: Engine): Promise<Flips> {
  return readFlips(await engine.row(`SELECT ${FLIPS} FROM pairs`))
}

export function readFlips(row: Record<string, JS>): Flips {
  const decided = Number(row.decided)
  const to_positive = Number(row.to_positive)
  const to_negative = Number(row.to_negative)
  return {
    decided,
    to_positive,
    to_negative,
    rate: decided === 0 ? null : (to_positive + to_negative) / decided,
  }
}

/** A number, or null for what the engine could not compute. */
export function finite(value: JS | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

import type { ColumnProfile, Profile } from '../profile/profile.ts'
import type { Drift, DriftTest } from './drift-figures.ts'
import { betweenParts, largest, type Threshold } from './drift-thresholds.ts'
import { DECIDING, measureSides, NO_FIGURES } from './measures.ts'
import { total } from './psi.ts'
import { distanceAt, isMore, leastRateDistance } from './rates.ts'
import { type Bins, binsOf } from './reference-bins.ts'

export interface CompareRequest {
  /** Counted on the same edges and values as `tonight`. */
  reference: Profile
  /** The reference's own as-ofs or nights, which add up to it; empty where it has but one. */
  parts: Profile[]
  tonight: Profile
  /** As a PSI. */
  minEffect: number
}

/**
 * With fewer rows on either side, distributions are not compared. An as-of of the reference with fewer differs from the
 * others by chance alone, so far that no shift of a night would ever be larger.
 */
export const LEAST_ROWS = 50

/** A column of which there is enough to say whether it drifted. */
export interface Comparison {
  drift: Drift
  before: ColumnProfile
  now: ColumnProfile
  bins: Bins
  /** Of the reference, of tonight, and of each as-of of the reference that has enough rows. */
  counts: Float64Array
  own: Float64Array
  parts: Float64Array[]
  rows: { reference: number; tonight: number }
  statistic: (before: Float64Array, now: Float64Array) => number
  value: number
  /** What is asked for whatever chance gives: the larger of the least effect and what the as-ofs differ by. */
  least: Threshold
  /** Tests that fire unless chance alone explains them. */
  candidates: DriftTest[]
}

/** The figures of a column of both sides; as Drift where that is all there is to say. */
export function compareColumn(
  { reference, parts, tonight, minEffect }: CompareRequest,
  before: ColumnProfile,
  now: ColumnProfile,
): Comparison | Drift {
  const bins = binsOf(before)
  const [counts, own] = [bins.of(before), bins.of(now)]
  const drift = described(before, now)
  if (counts === null || own === null) {
    const note = `was ${before.type} and is ${now.type}: they cannot be compared`
    if (before.kind !== now.kind) return { ...drift, drifted: true, fired: ['distribution'], note }
    return {
      ...drift,
      note: 'counted on different edges or values than the reference: they cannot be compared',
    }
  }
  Object.assign(drift, measureSides({ before, now, counts: { before: counts, now: own } }))
  const rows = { reference: Math.min(reference.entities, before.rows), tonight: tonight.rows }
  const few = Object.entries(rows).find(([, count]) => count < LEAST_ROWS)
  if (few !== undefined) return { ...drift, note: tooFew(few, now) }

  const { between: statistic, least: leastOf } = DECIDING[before.kind]
  const value = statistic(counts, own)
  const ofParts = parts.flatMap((part) => {
    const column = part.columns.find((each) => each.column === before.column && each.score === before.score)
    const counted = column && bins.of(column)
    return counted && total(counted) >= LEAST_ROWS ? [counted] : []
  })
  const least = largest([
    { from: 'min_effect', threshold: leastOf(minEffect) },
    { from: 'as-ofs', threshold: betweenParts(ofParts, (rest, part) => statistic(rest, part)) },
  ])
  const leastRate = (bin: number) =>
    Math.max(
      leastRateDistance(minEffect),
      betweenParts(ofParts, (rest, part) => distanceAt(bin, rest, part)) ?? 0,
    )
  const isFar = (bin: number) => distanceAt(bin, counts, own) > leastRate(bin)
  const candidates: DriftTest[] = []
  if (value > least.threshold) candidates.push('distribution')
  if (isFar(bins.nulls)) candidates.push('nulls')
  if (bins.unseen !== null && isMore(bins.unseen, counts, own) && isFar(bins.unseen))
    candidates.push('unseen')
  return {
    ...{ drift, before, now, bins, counts, own, rows, statistic, value, least, candidates },
    parts: ofParts,
  }
}

function described(before: ColumnProfile, now: ColumnProfile): Drift {
  return {
    ...NO_FIGURES,
    column: before.column,
    score: before.score,
    rows: now.rows,
    null_rate: rateOf(now.nulls, now.rows),
    unseen_rate: now.kind === 'category' ? rateOf(now.unseen, now.rows) : null,
    reference: {
      rows: before.rows,
      null_rate: rateOf(before.nulls, before.rows),
      mean: before.kind === 'number' ? before.mean : null,
    },
    mean: now.kind === 'number' ? now.mean : null,
    statistic: DECIDING[before.kind].statistic,
    threshold: null,
    threshold_from: null,
    p: null,
    drifted: false,
    fired: [],
    note: null,
  }
}

function tooFew([side, rows]: [string, number], now: ColumnProfile): string {
  const where = side === 'reference' ? 'the reference has' : 'there are'
  const what = rows === 0 ? 'no rows' : `not enough rows: ${where} ${rows}, at least ${LEAST_ROWS} are needed`
  return now.rows > 0 && now.nulls === now.rows ? `all null; ${what}` : what
}

/** A column that the reference has and the night has not. */
export function gone(before: ColumnProfile, tonight: Profile): Drift {
  const why =
    tonight.left_out.find(({ column }) => column === before.column)?.why ?? 'there is no such column'
  const empty: ColumnProfile = { ...before, rows: tonight.rows, nulls: tonight.rows }
  return {
    ...described(before, empty),
    mean: null,
    unseen_rate: null,
    drifted: true,
    fired: ['nulls'],
    note: why,
  }
}

/** A column that the night has and the reference has not. */
export function withoutReference(name: string, { reference, tonight }: CompareRequest): Drift[] {
  const now = tonight.columns.find(({ column, score }) => column === name && !score)
  if (now === undefined) return []
  const why = reference.left_out.find(({ column }) => column === name)?.why
  const note = `the reference has no such column${why === undefined ? '' : ` (${why})`}`
  return [
    {
      ...described(now, now),
      note,
      reference: { rows: 0, null_rate: 0, mean: null },
    },
  ]
}

function rateOf(count: number, rows: number): number {
  return rows === 0 ? 0 : count / rows
}

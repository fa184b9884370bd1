import { percent } from '../../format/shares.ts'
import { quantile } from '../evaluation/bootstrap.ts'
import { SAMPLED_ROWS } from '../profile/sampled-rows.ts'
import { discoveries } from './benjamini-hochberg.ts'
import {
  type CompareRequest,
  type Comparison,
  compareColumn,
  gone,
  withoutReference,
} from './compare-column.ts'
import type { Drift, DriftTest } from './drift-figures.ts'
import { largest } from './drift-thresholds.ts'
import { lInfinity } from './l-infinity.ts'
import { total } from './psi.ts'
import { distanceAt } from './rates.ts'
import { resampleNights } from './resample.ts'

export interface JudgeRequest extends CompareRequest {
  /** Undefined: all columns of the reference. */
  columns: string[] | undefined
  /** Whether the score is judged too. */
  score: boolean
  seed: number
}

/** Share of nights without drift in which the resampled threshold alone would fire: for the distribution, for each rate. */
const ALARMS = { distribution: 0.005, rate: 0.0025 }
/** Of Benjamini and Hochberg over the columns of a night. */
const DISCOVERY_RATE = 0.05
const LEAST_RESAMPLES = 2000
/** Enough for the p of a column that is near. */
const FEW_RESAMPLES = 200

/**
 * So many that the smallest p, 1 / (resamples + 1), is half of what one column alone needs to be a discovery among
 * `columns`: 2,000 up to 50 columns, 4,000 for 100.
 */
export function resamplesFor(columns: number): number {
  return Math.max(LEAST_RESAMPLES, Math.ceil((2 * columns) / DISCOVERY_RATE))
}

/**
 * How far each column of a night is from its reference, and whether that is drift. See docs/drift.md. The same call
 * gives the same answer: the resamples depend on `seed` and the column's place alone.
 */
export function judgeDrift(request: JudgeRequest): Drift[] {
  const { reference, tonight, columns, score } = request
  const watched = reference.columns.filter((column) =>
    column.score ? score : (columns?.includes(column.column) ?? true),
  )
  const compared = watched.map((before) => {
    const now = tonight.columns.find((each) => each.column === before.column && each.score === before.score)
    return now === undefined ? gone(before, tonight) : compareColumn(request, before, now)
  })
  const resamples = resamplesFor(watched.length)
  const judged = compared.map((column, place) => {
    if (!('candidates' in column)) return column
    const seed = request.seed + place * 7919
    return judgeNear(column, seed) ?? judgeColumn(column, resamples, seed)
  })
  const tested = judged.filter(({ p }) => p !== null)
  const found = discoveries(
    tested.map(({ p }) => p ?? 1),
    DISCOVERY_RATE,
  )
  for (const [index, drift] of tested.entries()) {
    if (found[index] === true) continue
    drift.fired = drift.fired.filter((test) => test !== 'distribution')
    drift.drifted = drift.fired.length > 0
  }
  const unknown = (columns ?? []).filter(
    (name) => !reference.columns.some(({ column, score }) => column === name && !score),
  )
  return [...judged, ...unknown.flatMap((name) => withoutReference(name, request))]
}

/**
 * A column that is not as far off as `minEffect` and the reference's own as-ofs ask for: no number of resamples makes
 * that drift, so few are drawn. Undefined for others, and where chance might ask for more than those two.
 */
function judgeNear(column: Comparison, seed: number): Drift | undefined {
  if (column.candidates.length > 0) return undefined
  const judged = judgeColumn(column, FEW_RESAMPLES, seed)
  return judged.threshold_from === 'resampling' ? undefined : judged
}

function judgeColumn(column: Comparison, resamples: number, seed: number): Drift {
  const { before, bins, counts, own, rows, statistic, value, least, candidates } = column
  const drawn = {
    statistic: new Float64Array(resamples),
    nulls: new Float64Array(resamples),
    unseen: new Float64Array(resamples),
  }
  let pair = 0
  const isSampled = before.kind === 'number'
  resampleNights({
    reference: counts,
    parts: column.parts,
    referenceRows: isSampled ? Math.min(rows.reference, SAMPLED_ROWS) : rows.reference,
    rows: isSampled ? Math.min(rows.tonight, SAMPLED_ROWS) : rows.tonight,
    resamples,
    seed,
    onPair(a, b) {
      drawn.statistic[pair] = statistic(a, b)
      drawn.nulls[pair] = distanceAt(bins.nulls, a, b)
      if (bins.unseen !== null) drawn.unseen[pair] = distanceAt(bins.unseen, a, b)
      pair++
    },
  })
  const { threshold, from } = largest([
    least,
    { from: 'resampling', threshold: upper(drawn.statistic, ALARMS.distribution) },
  ])
  const p = (1 + drawn.statistic.filter((each) => each >= value).length) / (resamples + 1)
  const isByChance: Record<DriftTest, () => boolean> = {
    distribution: () => value <= threshold,
    nulls: () => distanceAt(bins.nulls, counts, own) <= upper(drawn.nulls, ALARMS.rate),
    unseen: () => distanceAt(bins.unseen ?? 0, counts, own) <= upper(drawn.unseen, ALARMS.rate),
  }
  const fired = candidates.filter((test) => !isByChance[test]())
  const drift = { ...column.drift, threshold, threshold_from: from, p, fired, drifted: fired.length > 0 }
  return { ...drift, note: noteOf(column, drift.drifted) }
}

function noteOf({ before, now, bins, counts, own }: Comparison, drifted: boolean): string | null {
  const wasEmpty = before.nulls === before.rows
  if (now.nulls === now.rows) return wasEmpty ? 'all null, as in the reference' : 'all null'
  if (wasEmpty) return 'the reference is all null'
  if (now.kind === 'number' && now.infinite > 0) return `${now.infinite} values are infinite or NaN`
  if (drifted && now.kind === 'category' && now.unseen > 0) {
    const values = now.unseen_values.map(({ value, count }) => `${value} (${count})`).join(', ')
    if (now.unseen > total(own) * 0.01) return `values that the reference does not have: ${values}`
  }
  if (drifted && now.kind === 'category') {
    const { bin } = lInfinity([...counts], [...own])
    return `${bins.name(bin)} went from ${shareOf(bin, counts)} to ${shareOf(bin, own)}`
  }
  if (now.kind === 'category' && before.kind === 'category' && before.other + before.unseen > before.rows / 2)
    return `too many values (${now.distinct}) to compare them one by one`
  if (now.kind === 'number' && now.min === now.max) return `constant: ${now.min}`
  return null
}

function upper(values: Float64Array, alarms: number): number {
  return quantile(values.sort(), 1 - alarms)
}

function shareOf(bin: number, counts: Float64Array): string {
  return percent((counts[bin] ?? 0) / total(counts))
}

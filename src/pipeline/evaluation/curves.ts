import { wilson } from './few.ts'
import { orderOf, type Sample } from './metrics.ts'

/**
 * What the pictures of an evaluation are drawn from: counts and means, of bounded size for any number of rows.
 * Figures are never computed from them.
 */
export interface Curves {
  /** Of scores that tell two classes apart; null for numbers. */
  ranking: Ranking | null
  /** At most ten groups of nearly as many rows each, from the lowest score up; rows of equal scores stay together. */
  tenths: Tenth[]
  histogram: ScoreHistogram
}

/**
 * Counts of the rows with at least that score, at kept scores from the highest down; parallel arrays, without the
 * point of no rows. ROC, precision and recall, gains and lift all follow from them. Between two kept points lie at
 * most `STEP` of the positives and the negatives together, and at most `GROWTH` of the rows above, or else one group
 * of equal scores, which is a straight line itself: so a rate that is drawn is within 1 percentage point of the exact
 * one, and a precision within 3. At most 1 / STEP x 2 + ln(rows) / ln(1 + GROWTH) points: 670 for a million rows.
 */
export interface Ranking {
  score: number[]
  rows: number[]
  positives: number[]
}

export const STEP = 0.01
export const GROWTH = 0.03

export interface Tenth {
  rows: number
  mean_score: number
  /** The share of positives, or the mean label. */
  realized: number
  /** 95 % interval of `realized` that takes rows for independent: Wilson for a share, 1.96 standard errors for a mean. */
  low: number | null
  high: number | null
}

/** Rows by score, in bins of equal width: of each class, or of numbers the scores and the labels themselves. */
export interface ScoreHistogram {
  from: number
  to: number
  series: { name: 'positives' | 'negatives' | 'scores' | 'labels'; mean: number | null; counts: number[] }[]
}

const BINS = 40
const TENTHS = 10

/** One sort and a few passes over the rows. Null without rows, or where a score is not a finite number. */
export function curvesOf(kind: 'classification' | 'regression', { scores, labels }: Sample): Curves | null {
  if (scores.length === 0 || !scores.every(Number.isFinite)) return null
  const order = orderOf(scores)
  const sample: Sample = {
    scores: Float64Array.from(order, (row) => scores[row] ?? 0),
    labels: Float64Array.from(order, (row) => labels[row] ?? 0),
  }
  return {
    ranking: kind === 'classification' ? rankingOf(sample) : null,
    tenths: tenthsOf(kind, sample),
    histogram: histogramOf(kind, sample),
  }
}

function rankingOf({ scores, labels }: Sample): Ranking {
  const positives = labels.reduce((sum, label) => sum + label, 0)
  const negatives = labels.length - positives
  const kept: Ranking = { score: [], rows: [], positives: [] }
  /** The newest point that is not kept yet. */
  let last = { score: 0, rows: 0, positives: 0 }
  let [keptRows, keptPositives] = [0, 0]
  const keep = () => {
    if (last.rows === keptRows) return
    kept.score.push(last.score)
    kept.rows.push(last.rows)
    kept.positives.push(last.positives)
    ;[keptRows, keptPositives] = [last.rows, last.positives]
  }
  for (let row = 0, hits = 0; row < scores.length; ) {
    const score = scores[row] ?? 0
    while (row < scores.length && scores[row] === score) hits += labels[row++] ?? 0
    const [newRows, newHits] = [row - keptRows, hits - keptPositives]
    const step = share(newHits, positives) + share(newRows - newHits, negatives)
    if (step > STEP || newRows > GROWTH * keptRows) keep()
    last = { score, rows: row, positives: hits }
  }
  keep()
  return kept
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function tenthsOf(kind: 'classification' | 'regression', { scores, labels }: Sample): Tenth[] {
  const tenths: Tenth[] = []
  const rows = scores.length
  for (let end = rows, tenth = 1; end > 0; tenth++) {
    // From the lowest score up: the samples are sorted from the highest down.
    let start = Math.max(0, rows - Math.ceil((tenth * rows) / TENTHS))
    while (start > 0 && scores[start - 1] === scores[start]) start--
    if (start >= end) continue
    tenths.push(tenthOf(kind, scores.subarray(start, end), labels.subarray(start, end)))
    end = start
  }
  return tenths
}

function tenthOf(kind: 'classification' | 'regression', scores: Float64Array, labels: Float64Array): Tenth {
  const rows = scores.length
  const realized = meanOf(labels)
  const figures = { rows, mean_score: meanOf(scores), realized }
  if (kind === 'classification') return { ...figures, ...wilson(realized, rows) }
  if (rows < 2) return { ...figures, low: null, high: null }
  const variance = labels.reduce((sum, label) => sum + (label - realized) ** 2, 0) / (rows - 1)
  const half = 1.96 * Math.sqrt(variance / rows)
  return { ...figures, low: realized - half, high: realized + half }
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function histogramOf(kind: 'classification' | 'regression', { scores, labels }: Sample): ScoreHistogram {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of kind === 'classification' ? [scores] : [scores, labels]) {
    for (const value of values) {
      if (value < from) from = value
      if (value > to) to = value
    }
  }
  if (kind === 'classification' && from >= 0 && to <= 1) [from, to] = [0, 1]
  const whole = { from, to }
  const all = () => true
  const series =
    kind === 'classification'
      ? [
          { name: 'negatives' as const, ...binned(scores, whole, (row) => labels[row] !== 1) },
          { name: 'positives' as const, ...binned(scores, whole, (row) => labels[row] === 1) },
        ]
      : [
          { name: 'labels' as const, ...binned(labels, whole, all) },
          { name: 'scores' as const, ...binned(scores, whole, all) },
        ]
  return { ...whole, series }
}

function binned(
  values: Float64Array,
  { from, to }: { from: number; to: number },
  counts: (row: number) => boolean,
): { mean: number | null; counts: number[] } {
  const bins = new Array<number>(BINS).fill(0)
  let [sum, rows] = [0, 0]
  const width = (to - from) / BINS
  for (let row = 0; row < values.length; row++) {
    if (!counts(row)) continue
    const value = values[row] ?? 0
    const bin = width === 0 ? 0 : Math.min(BINS - 1, Math.floor((value - from) / width))
    bins[bin] = (bins[bin] ?? 0) + 1
    sum += value
    rows++
  }
  return { mean: rows === 0 ? null : sum / rows, counts: bins }
}

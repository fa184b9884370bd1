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
 * one, and a precision within 3; at `SHARES` of the rows they are exact. At most 1 / STEP x 2 + ln(rows) / ln(1 + GROWTH) and
 * two for each of SHARES: 690 points for a million rows.
 */
export interface Ranking {
  score: number[]
  rows: number[]
  positives: number[]
}

/** Shares of the rows, highest scores first, that sentences and tables name: kept exactly, but for groups of equal scores. */
export const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1]

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

export interface CurveTotals {
  rows: number
  positives: number
  /** The least and the largest score; of numbers, of scores and labels together. */
  from: number
  to: number
}

/** One sort and a few passes over the rows. Null without rows, or where a score is not a finite number. */
export function curvesOf(kind: 'classification' | 'regression', { scores, labels }: Sample): Curves | null {
  if (scores.length === 0 || !scores.every(Number.isFinite)) return null
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of kind === 'classification' ? [scores] : [scores, labels]) {
    for (const value of values) {
      if (value < from) from = value
      if (value > to) to = value
    }
  }
  const positives = labels.reduce((sum, label) => sum + (label === 1 ? 1 : 0), 0)
  const curves = openCurves(kind, { rows: scores.length, positives, from, to })
  for (const row of orderOf(scores)) curves.add(scores[row] ?? 0, labels[row] ?? 0)
  return curves.end()
}

/** Draws from rows that come from the highest score down, in memory that no number of rows changes. */
export function openCurves(
  kind: 'classification' | 'regression',
  totals: CurveTotals,
): { add(score: number, label: number): void; end(): Curves } {
  const ranking = kind === 'classification' ? openRanking(totals) : undefined
  const tenths = openTenths(kind, totals.rows)
  const histogram = openHistogram(kind, totals)
  let [score, group] = [Number.NaN, emptyMoments()]
  const endGroup = () => {
    if (group.rows === 0) return
    ranking?.add(score, group.rows, group.sum)
    tenths.add(score, group)
  }
  return {
    add(next, label) {
      if (next !== score) {
        endGroup()
        ;[score, group] = [next, emptyMoments()]
      }
      include(group, { rows: 1, sum: label, spread: 0 })
      histogram.add(next, label)
    },
    end() {
      endGroup()
      return { ranking: ranking?.end() ?? null, tenths: tenths.end(), histogram: histogram.end() }
    },
  }
}

function openRanking({ rows: all, positives }: CurveTotals): {
  add(score: number, rows: number, hits: number): void
  end(): Ranking
} {
  const negatives = all - positives
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
  return {
    add(score, rows, hits) {
      const now = { score, rows: last.rows + rows, positives: last.positives + hits }
      const [newRows, newHits] = [now.rows - keptRows, now.positives - keptPositives]
      const step = share(newHits, positives) + share(newRows - newHits, negatives)
      const isNamed = SHARES.some((each) => last.rows < each * all && each * all <= now.rows)
      if (step > STEP || newRows > GROWTH * keptRows || isNamed) keep()
      last = now
      if (isNamed) keep()
    },
    end() {
      keep()
      return kept
    },
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

/** Of values: how many, their sum, and the sum of squares around their mean. */
interface Moments {
  rows: number
  sum: number
  spread: number
}

const emptyMoments = (): Moments => ({ rows: 0, sum: 0, spread: 0 })

/** Chan, Golub and LeVeque 1979: the moments of both together. */
function include(into: Moments, { rows, sum, spread }: Moments): void {
  const all = into.rows + rows
  const between = into.rows === 0 ? 0 : sum / rows - into.sum / into.rows
  into.spread += spread + (between ** 2 * into.rows * rows) / all
  into.sum += sum
  into.rows = all
}

function openTenths(
  kind: 'classification' | 'regression',
  all: number,
): { add(score: number, group: Moments): void; end(): Tenth[] } {
  const tenths: Tenth[] = []
  // Where each begins, counted from the highest score: the groups of these rows begin one.
  const starts = Array.from({ length: TENTHS }, (_, index) =>
    Math.max(0, all - Math.ceil(((TENTHS - index) * all) / TENTHS)),
  )
  let [seen, next] = [0, 0]
  let [scores, labels] = [0, emptyMoments()]
  const close = () => {
    if (labels.rows > 0) tenths.push(tenthOf(kind, scores, labels))
    ;[scores, labels] = [0, emptyMoments()]
  }
  return {
    add(score, group) {
      const end = seen + group.rows
      const begins = (starts[next] ?? Number.POSITIVE_INFINITY) < end
      while ((starts[next] ?? Number.POSITIVE_INFINITY) < end) next++
      if (begins) close()
      scores += score * group.rows
      include(labels, group)
      seen = end
    },
    end() {
      close()
      return tenths.reverse()
    },
  }
}

function tenthOf(
  kind: 'classification' | 'regression',
  scores: number,
  { rows, sum, spread }: Moments,
): Tenth {
  const realized = sum / rows
  const figures = { rows, mean_score: scores / rows, realized }
  if (kind === 'classification') return { ...figures, ...wilson(realized, rows) }
  if (rows < 2) return { ...figures, low: null, high: null }
  const half = 1.96 * Math.sqrt(spread / (rows - 1) / rows)
  return { ...figures, low: realized - half, high: realized + half }
}

function openHistogram(
  kind: 'classification' | 'regression',
  { from, to }: CurveTotals,
): { add(score: number, label: number): void; end(): ScoreHistogram } {
  const whole = kind === 'classification' && from >= 0 && to <= 1 ? { from: 0, to: 1 } : { from, to }
  const [first, second] = [openBars(whole), openBars(whole)]
  if (kind === 'regression')
    return {
      add(score, label) {
        first.add(label)
        second.add(score)
      },
      end: () => ({
        ...whole,
        series: [
          { name: 'labels', ...first.end() },
          { name: 'scores', ...second.end() },
        ],
      }),
    }
  return {
    add: (score, label) => (label === 1 ? second : first).add(score),
    end: () => ({
      ...whole,
      series: [
        { name: 'negatives', ...first.end() },
        { name: 'positives', ...second.end() },
      ],
    }),
  }
}

function openBars({ from, to }: { from: number; to: number }): {
  add(value: number): void
  end(): { mean: number | null; counts: number[] }
} {
  const counts = new Array<number>(BINS).fill(0)
  let [sum, rows] = [0, 0]
  const width = (to - from) / BINS
  return {
    add(value) {
      const bin = width === 0 ? 0 : Math.min(BINS - 1, Math.floor((value - from) / width))
      counts[bin] = (counts[bin] ?? 0) + 1
      sum += value
      rows++
    },
    end: () => ({ mean: rows === 0 ? null : sum / rows, counts }),
  }
}

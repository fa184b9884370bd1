import type { ClassMetric, Metric, NumberMetric } from '../../project/schema/metric.ts'
import { BINS, binOf, ClassTally, tallyNumbers } from './metric-sums.ts'

/**
 * Figures of a sample of scores and labels. Each is taken over groups of equal scores, from the highest down, with a
 * whole weight for each row (1, or how often a resample has drawn it), so that one sort serves every resample. Their
 * definitions are in METRIC_TABLE (src/project/schema/metric.ts).
 *
 * Null if the sample does not determine the figure, such as an AUC of a single class.
 */
export type Metrics = Partial<Record<Metric, number | null>>

/** Rows of one sample: parallel arrays. */
export interface Sample {
  scores: Float64Array
  labels: Float64Array
  /** What `logOf` says of each score, for those who measure the sample again and again. */
  logs?: { hit: Float64Array; miss: Float64Array }
}

/** Rows of a sample from the highest score down. */
export function orderOf(scores: Float64Array, rows?: Uint32Array): Uint32Array {
  const order = rows?.slice() ?? Uint32Array.from(scores, (_, index) => index)
  return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
}

/**
 * Figures of the rows in `order` (from the highest score down). `k` is a number of rows, or below 1 a share of them.
 * Linear in the number of rows.
 */
export function classify(
  { scores, labels, logs }: Sample,
  order: Uint32Array,
  k: number,
  weights?: Uint32Array,
): Record<ClassMetric, number | null> {
  let total = 0
  let positives = 0
  for (let at = 0; at < order.length; at++) {
    const row = order[at] ?? 0
    const weight = weights === undefined ? 1 : (weights[row] ?? 0)
    total += weight
    if (labels[row] === 1) positives += weight
  }
  const tally = new ClassTally({ rows: total, positives }, k)
  for (let start = 0; start < order.length; ) {
    const first = order[start] ?? 0
    const score = scores[first] ?? 0
    let end = start
    let rows = 0
    let hits = 0
    for (; end < order.length; end++) {
      const row = order[end] ?? 0
      if (scores[row] !== score) break
      const weight = weights === undefined ? 1 : (weights[row] ?? 0)
      rows += weight
      if (labels[row] === 1) hits += weight
    }
    // A NaN equals nothing, itself included.
    if (end === start) end++
    start = end
    if (rows > 0) tally.add(score, rows, hits, logs?.hit[first], logs?.miss[first])
  }
  return tally.figures()
}

/** Figures of a score that predicts a number. */
export function regress(
  { scores, labels }: Sample,
  order: Uint32Array,
  weights?: Uint32Array,
): Record<NumberMetric, number | null> {
  const tally = tallyNumbers()
  for (const row of order) {
    const weight = weights?.[row] ?? 1
    if (weight > 0) tally.add(scores[row] ?? 0, labels[row] ?? 0, weight)
  }
  return tally.figures()
}

export interface CalibrationBin {
  from: number
  to: number
  rows: number
  /** Null without rows. */
  mean_score: number | null
  realized: number | null
}

/** Ten bins of equal width: predicted against observed. */
export function calibration({ scores, labels }: Sample): CalibrationBin[] {
  const bins = openBins()
  scores.forEach((score, row) => {
    bins.add(score, 1, labels[row] ?? 0)
  })
  return bins.end()
}

export function openBins(): {
  add(score: number, rows: number, hits: number): void
  end(): CalibrationBin[]
} {
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, scores: 0, labels: 0 }))
  return {
    add(score, rows, hits) {
      const bin = bins[binOf(score) ?? -1]
      if (bin === undefined) return
      bin.rows += rows
      bin.scores += rows * score
      bin.labels += hits
    },
    end: () =>
      bins.map((bin, index) => ({
        from: index / BINS,
        to: (index + 1) / BINS,
        rows: bin.rows,
        mean_score: bin.rows === 0 ? null : bin.scores / bin.rows,
        realized: bin.rows === 0 ? null : bin.labels / bin.rows,
      })),
  }
}

export interface Confusion {
  threshold: number
  true_positive: number
  false_positive: number
  true_negative: number
  false_negative: number
}

/** Scores at or above the threshold are positive decisions, as in the published `decision`. */
export function confusion({ scores, labels }: Sample, threshold: number): Confusion {
  const counts = openConfusion(threshold)
  scores.forEach((score, row) => {
    counts.add(score, labels[row] ?? 0)
  })
  return counts.end()
}

export function openConfusion(threshold: number): {
  add(score: number, label: number): void
  end(): Confusion
} {
  const counts = { true_positive: 0, false_positive: 0, true_negative: 0, false_negative: 0 }
  return {
    add(score, label) {
      const positive = label === 1
      if (score >= threshold) counts[positive ? 'true_positive' : 'false_positive']++
      else counts[positive ? 'false_negative' : 'true_negative']++
    },
    end: () => ({ threshold, ...counts }),
  }
}

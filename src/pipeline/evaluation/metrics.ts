import type { ClassMetric, Metric, NumberMetric } from '../../project/schema/metric.ts'

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
}

/** Rows of a sample from the highest score down. */
export function orderOf(scores: Float64Array, rows?: Uint32Array): Uint32Array {
  const order = rows?.slice() ?? Uint32Array.from(scores, (_, index) => index)
  return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
}

const BINS = 10
const NO_ROWS: Record<ClassMetric, null> = {
  auc: null,
  average_precision: null,
  log_loss: null,
  brier: null,
  ece: null,
  precision_at_k: null,
  lift_at_k: null,
}

/**
 * Figures of the rows in `order` (from the highest score down). `k` is a number of rows, or below 1 a share of them.
 * Linear in the number of rows.
 */
export function classify(
  { scores, labels }: Sample,
  order: Uint32Array,
  k: number,
  weights?: Uint32Array,
): Record<ClassMetric, number | null> {
  const weightOf = (row: number) => weights?.[row] ?? 1
  let total = 0
  let positives = 0
  for (const row of order) {
    const weight = weightOf(row)
    total += weight
    if (labels[row] === 1) positives += weight
  }
  if (total === 0) return NO_ROWS
  const negatives = total - positives
  const topRows = k < 1 ? Math.max(1, Math.round(total * k)) : Math.min(k, total)

  let above = 0
  let positivesAbove = 0
  let pairs = 0
  let precisionSum = 0
  let top = 0
  let loss = 0
  let squares = 0
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, scores: 0, labels: 0 }))
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] ?? 0] ?? 0
    let end = start
    let rows = 0
    let hits = 0
    for (; end < order.length && scores[order[end] ?? 0] === score; end++) {
      const row = order[end] ?? 0
      const weight = weightOf(row)
      rows += weight
      if (labels[row] === 1) hits += weight
    }
    // A NaN equals nothing, itself included.
    if (end === start) end++
    start = end
    if (rows === 0) continue
    // Negatives below this group, and half of those within it.
    pairs += hits * (negatives - (above - positivesAbove) - (rows - hits) / 2)
    if (above < topRows) top += (hits / rows) * Math.min(rows, topRows - above)
    above += rows
    positivesAbove += hits
    precisionSum += hits * (positivesAbove / above)
    const clipped = Math.min(Math.max(score, Number.EPSILON), 1 - Number.EPSILON)
    loss -= hits * Math.log(clipped) + (rows - hits) * Math.log1p(-clipped)
    squares += hits * (1 - score) ** 2 + (rows - hits) * score ** 2
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))]
    if (bin !== undefined) {
      bin.rows += rows
      bin.scores += rows * score
      bin.labels += hits
    }
  }
  const both = positives > 0 && negatives > 0
  const precision = top / topRows
  return {
    auc: both ? pairs / (positives * negatives) : null,
    average_precision: positives > 0 ? precisionSum / positives : null,
    log_loss: loss / total,
    brier: squares / total,
    ece: bins.reduce((sum, bin) => sum + Math.abs(bin.scores - bin.labels), 0) / total,
    precision_at_k: precision,
    lift_at_k: positives > 0 ? precision / (positives / total) : null,
  }
}

/** Figures of a score that predicts a number. */
export function regress(
  { scores, labels }: Sample,
  order: Uint32Array,
  weights?: Uint32Array,
): Record<NumberMetric, number | null> {
  let total = 0
  let sum = 0
  for (const row of order) {
    const weight = weights?.[row] ?? 1
    total += weight
    sum += weight * (labels[row] ?? 0)
  }
  if (total === 0) return { rmse: null, mae: null, r2: null }
  const mean = sum / total
  let squared = 0
  let absolute = 0
  let spread = 0
  for (const row of order) {
    const weight = weights?.[row] ?? 1
    if (weight === 0) continue
    const error = (scores[row] ?? 0) - (labels[row] ?? 0)
    squared += weight * error ** 2
    absolute += weight * Math.abs(error)
    spread += weight * ((labels[row] ?? 0) - mean) ** 2
  }
  return {
    rmse: Math.sqrt(squared / total),
    mae: absolute / total,
    r2: spread > 0 ? 1 - squared / spread : null,
  }
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
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, scores: 0, labels: 0 }))
  scores.forEach((score, row) => {
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))]
    if (bin === undefined) return
    bin.rows++
    bin.scores += score
    bin.labels += labels[row] ?? 0
  })
  return bins.map((bin, index) => ({
    from: index / BINS,
    to: (index + 1) / BINS,
    rows: bin.rows,
    mean_score: bin.rows === 0 ? null : bin.scores / bin.rows,
    realized: bin.rows === 0 ? null : bin.labels / bin.rows,
  }))
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
  const counts = { true_positive: 0, false_positive: 0, true_negative: 0, false_negative: 0 }
  scores.forEach((score, row) => {
    const positive = labels[row] === 1
    if (score >= threshold) counts[positive ? 'true_positive' : 'false_positive']++
    else counts[positive ? 'false_negative' : 'true_negative']++
  })
  return { threshold, ...counts }
}

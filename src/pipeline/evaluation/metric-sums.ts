import type { ClassMetric, NumberMetric } from '../../project/schema/metric.ts'

/**
 * Sums of rows that come from the highest score down: what figures take is known once the last has come, in memory that no
 * number of rows changes. Definitions: METRIC_TABLE (src/project/schema/metric.ts).
 */

export const BINS = 10

export interface ClassTally {
  /** All rows of one score: how many (a weight counts so often), and how many of them are positive. */
  add(score: number, rows: number, hits: number): void
  figures(): Record<ClassMetric, number | null>
}

const NO_ROWS: Record<ClassMetric, null> = {
  auc: null,
  average_precision: null,
  log_loss: null,
  brier: null,
  ece: null,
  precision_at_k: null,
  lift_at_k: null,
}

/** `k` is a number of rows, or below 1 a share of them. */
export function tallyClasses(
  { rows: total, positives }: { rows: number; positives: number },
  k: number,
): ClassTally {
  const negatives = total - positives
  const topRows = k < 1 ? Math.max(1, Math.round(total * k)) : Math.min(k, total)
  let above = 0
  let positivesAbove = 0
  let pairs = 0
  let precisionSum = 0
  let top = 0
  let loss = 0
  let squares = 0
  /** Of each bin: the sum of its scores, less its positives. */
  const gaps = new Float64Array(BINS)
  return {
    add(score, rows, hits) {
      // Negatives below this group, and half of those within it.
      pairs += hits * (negatives - (above - positivesAbove) - (rows - hits) / 2)
      if (above < topRows) top += (hits / rows) * Math.min(rows, topRows - above)
      above += rows
      positivesAbove += hits
      precisionSum += hits * (positivesAbove / above)
      const clipped = Math.min(Math.max(score, Number.EPSILON), 1 - Number.EPSILON)
      // Most scores have rows of one class alone, and a thousand resamples feel each logarithm.
      loss -=
        (hits > 0 ? hits * Math.log(clipped) : 0) + (rows > hits ? (rows - hits) * Math.log1p(-clipped) : 0)
      squares += hits * (1 - score) ** 2 + (rows - hits) * score ** 2
      const bin = binOf(score)
      if (bin !== undefined) gaps[bin] = (gaps[bin] ?? 0) + rows * score - hits
    },
    figures() {
      if (total === 0) return NO_ROWS
      const both = positives > 0 && negatives > 0
      const precision = top / topRows
      return {
        auc: both ? pairs / (positives * negatives) : null,
        average_precision: positives > 0 ? precisionSum / positives : null,
        log_loss: loss / total,
        brier: squares / total,
        ece: gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total,
        precision_at_k: precision,
        lift_at_k: positives > 0 ? precision / (positives / total) : null,
      }
    },
  }
}

/** One of the ten bins of equal width; scores beyond 0 and 1 are in the outer ones, what is no number in none. */
export function binOf(score: number): number | undefined {
  const bin = Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))
  return Number.isNaN(bin) ? undefined : bin
}

export interface NumberTally {
  add(score: number, label: number, weight: number): void
  figures(): Record<NumberMetric, number | null>
}

/** Of rows in any order, each with a weight above 0. The spread of labels is West's (1979): one pass is enough. */
export function tallyNumbers(): NumberTally {
  let total = 0
  let mean = 0
  let squared = 0
  let absolute = 0
  let spread = 0
  return {
    add(score, label, weight) {
      const error = score - label
      squared += weight * error ** 2
      absolute += weight * Math.abs(error)
      const away = label - mean
      total += weight
      mean += (away * weight) / total
      spread += weight * away * (label - mean)
    },
    figures() {
      if (total === 0) return { rmse: null, mae: null, r2: null }
      return {
        rmse: Math.sqrt(squared / total),
        mae: absolute / total,
        r2: spread > 0 ? 1 - squared / spread : null,
      }
    },
  }
}

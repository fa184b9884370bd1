import type { ClassMetric, NumberMetric } from '../../project/schema/metric.ts'

/**
 * Sums of rows that come from the highest score down: what figures take is known once the last has come, in memory that no
 * number of rows changes. Definitions: METRIC_TABLE (src/project/schema/metric.ts).
 */

export const BINS = 10

const NO_ROWS: Record<ClassMetric, null> = {
  auc: null,
  average_precision: null,
  log_loss: null,
  brier: null,
  ece: null,
  precision_at_k: null,
  lift_at_k: null,
}

/** What a row of either class adds to the logarithm of the likelihood. */
export function logOf(score: number, isPositive: boolean): number {
  const clipped = Math.min(Math.max(score, Number.EPSILON), 1 - Number.EPSILON)
  return isPositive ? Math.log(clipped) : Math.log1p(-clipped)
}

/** A class, whose numbers V8 changes in place: as variables of a closure each sum is a new object at each row. */
export class ClassTally {
  readonly #total: number
  readonly #positives: number
  readonly #topRows: number
  #above = 0
  #positivesAbove = 0
  #pairs = 0
  #precisionSum = 0
  #top = 0
  #loss = 0
  #squares = 0
  /** Of each bin: the sum of its scores, less its positives. */
  readonly #gaps = new Float64Array(BINS)

  /** `k` is a number of rows, or below 1 a share of them. */
  constructor({ rows, positives }: { rows: number; positives: number }, k: number) {
    this.#total = rows
    this.#positives = positives
    this.#topRows = k < 1 ? Math.max(1, Math.round(rows * k)) : Math.min(k, rows)
  }

  /**
   * All rows of one score: how many (a weight counts so often), and how many of them are positive. A thousand resamples
   * feel each logarithm: who adds a score again knows what `logOf` says of it.
   */
  add(
    score: number,
    rows: number,
    hits: number,
    // Most scores have rows of one class alone.
    logOfHit = hits > 0 ? logOf(score, true) : 0,
    logOfMiss = rows > hits ? logOf(score, false) : 0,
  ): void {
    const misses = rows - hits
    if (this.#above < this.#topRows) this.#top += (hits / rows) * Math.min(rows, this.#topRows - this.#above)
    const negativesAbove = this.#above - this.#positivesAbove
    this.#above += rows
    if (hits > 0) {
      // Negatives below this group, and half of those within it.
      this.#pairs += hits * (this.#total - this.#positives - negativesAbove - misses / 2)
      this.#positivesAbove += hits
      this.#precisionSum += hits * (this.#positivesAbove / this.#above)
    }
    this.#loss -= (hits > 0 ? hits * logOfHit : 0) + (misses > 0 ? misses * logOfMiss : 0)
    this.#squares += hits * (1 - score) ** 2 + misses * score ** 2
    const bin = binOf(score)
    if (bin !== undefined) this.#gaps[bin] = (this.#gaps[bin] ?? 0) + rows * score - hits
  }

  figures(): Record<ClassMetric, number | null> {
    const [total, positives] = [this.#total, this.#positives]
    if (total === 0) return NO_ROWS
    const both = positives > 0 && positives < total
    const precision = this.#top / this.#topRows
    return {
      auc: both ? this.#pairs / (positives * (total - positives)) : null,
      average_precision: positives > 0 ? this.#precisionSum / positives : null,
      log_loss: this.#loss / total,
      brier: this.#squares / total,
      ece: this.#gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / total,
      precision_at_k: precision,
      lift_at_k: positives > 0 ? precision / (positives / total) : null,
    }
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

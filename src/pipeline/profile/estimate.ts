import type { NumberProfile } from './profile.ts'

/** What scores promise of themselves: the AUC, and the share of positives; null where they say nothing. */
export interface Estimate {
  auc: number | null
  rate: number | null
}

/**
 * The quality that scores have if they are calibrated probabilities, long before there are labels: a row of score p
 * counts as p of a positive and 1 - p of a negative (confidence-based performance estimation, as NannyML's CBPE; Kivimäki
 * et al. 2025, Confidence-based Estimators for Predictive Performance in Model Monitoring). It sees a change of the
 * customers, and none of the relation between features and outcome. From the histogram of the scores: rows of one bin
 * count as ties at its middle. Undefined for scores that are no probabilities.
 */
export function estimateQuality(score: NumberProfile): Estimate | undefined {
  const { min, max, mean, edges, counts } = score
  if (min === null || max === null || mean === null || min < 0 || max > 1) return undefined
  let positives = 0
  let negatives = 0
  let pairs = 0
  for (const [bin, count] of counts.entries()) {
    const low = Math.max(min, edges[bin - 1] ?? min)
    const p = (low + Math.max(low, Math.min(max, edges[bin] ?? max))) / 2
    const [positive, negative] = [count * p, count * (1 - p)]
    pairs += positive * (negatives + negative / 2)
    positives += positive
    negatives += negative
  }
  return { auc: positives > 0 && negatives > 0 ? pairs / (positives * negatives) : null, rate: mean }
}

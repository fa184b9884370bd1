import { total } from './psi.ts'

/**
 * How far two rates are apart: Cohen's h = |2 asin sqrt(p) - 2 asin sqrt(q)| (Cohen 1988, chapter 6), whose sampling error
 * is the same for every rate. 0 to 1 % is 0.20, 5 to 10.2 % is 0.20, 50 to 60 % is 0.20.
 */
export function rateDistance(reference: number, tonight: number): number {
  return Math.abs(2 * Math.asin(Math.sqrt(tonight)) - 2 * Math.asin(Math.sqrt(reference)))
}

/**
 * The least distance of rates that counts: 0.2, which Cohen calls small, at the default `min_effect` of 0.1, and in
 * proportion to its root else (for small differences a PSI is h squared). Rates are held tighter than distributions
 * (a PSI of 0.04), since nulls and unknown values are what broken pipelines look like.
 */
export function leastRateDistance(minEffect: number): number {
  return 0.2 * Math.sqrt(minEffect / 0.1)
}

/** Between the shares of one bin. */
export function distanceAt(bin: number, a: Float64Array, b: Float64Array): number {
  return rateDistance((a[bin] ?? 0) / total(a), (b[bin] ?? 0) / total(b))
}

/** Whether the share of a bin has grown from `a` to `b`. */
export function isMore(bin: number, a: Float64Array, b: Float64Array): boolean {
  return (b[bin] ?? 0) / total(b) > (a[bin] ?? 0) / total(a)
}

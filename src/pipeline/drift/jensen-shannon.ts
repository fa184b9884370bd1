import { total } from './psi.ts'

/**
 * Jensen-Shannon distance of two sets of counts over the same bins: the root of the divergence in bits, 0 for the same
 * shares and 1 where they have no bin in common (Lin 1991; Endres and Schindelin 2003; scipy's
 * `spatial.distance.jensenshannon(p, q, base=2)`). NaN where either side has no rows.
 */
export function jensenShannon(reference: ArrayLike<number>, tonight: ArrayLike<number>): number {
  const [n, m] = [total(reference), total(tonight)]
  if (n === 0 || m === 0) return Number.NaN
  let sum = 0
  for (let bin = 0; bin < reference.length; bin++) {
    const [p, q] = [(reference[bin] ?? 0) / n, (tonight[bin] ?? 0) / m]
    const middle = (p + q) / 2
    if (p > 0) sum += p * Math.log2(p / middle)
    if (q > 0) sum += q * Math.log2(q / middle)
  }
  return Math.sqrt(Math.max(0, sum / 2))
}

/**
 * The distance that says as much as a PSI. For small differences both are multiples of sum (q - p)^2 / p: the PSI is
 * that sum, the divergence in nats an eighth of it (Lin 1991, second order), so that a PSI of 0.1 is a distance of 0.134.
 */
export function distanceOfPsi(psi: number): number {
  return Math.sqrt(psi / (8 * Math.LN2))
}

/** Takes the place of a share of zero, as Evidently has it, so that the logarithm exists. */
const FLOOR = 0.0001

/**
 * Population stability index of two sets of counts over the same bins: sum of (q - p) ln(q / p) over their shares
 * (Siddiqi 2006, Credit Risk Scorecards, after the symmetric divergence of Kullback and Leibler 1951). A share of zero
 * counts as 0.0001 (Evidently, `psi`). NaN where either side has no rows.
 */
export function psi(reference: ArrayLike<number>, tonight: ArrayLike<number>): number {
  const [n, m] = [total(reference), total(tonight)]
  if (n === 0 || m === 0) return Number.NaN
  let sum = 0
  for (let bin = 0; bin < reference.length; bin++) {
    const [a, b] = [reference[bin] ?? 0, tonight[bin] ?? 0]
    if (a === 0 && b === 0) continue
    const p = a === 0 ? FLOOR : a / n
    const q = b === 0 ? FLOOR : b / m
    sum += (q - p) * Math.log(q / p)
  }
  return sum
}

export function total(counts: ArrayLike<number>): number {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += counts[bin] ?? 0
  return sum
}

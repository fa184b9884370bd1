import { total } from './psi.ts'

/**
 * The bin whose share differs most, and by how much (NannyML's `l_infinity`, the Chebyshev distance of the shares):
 * it names the category that moved.
 */
export function lInfinity(reference: number[], tonight: number[]): { bin: number; distance: number } {
  const [n, m] = [total(reference), total(tonight)]
  let largest = { bin: 0, distance: 0 }
  for (const [bin, count] of reference.entries()) {
    const distance = Math.abs((tonight[bin] ?? 0) / m - count / n)
    if (distance > largest.distance) largest = { bin, distance }
  }
  return largest
}

/**
 * Which of these tests are discoveries at a false discovery rate of `q`: the k smallest p, for the largest k whose
 * k-th smallest p is at most q k / m (Benjamini and Hochberg 1995).
 */
export function discoveries(p: number[], q: number): boolean[] {
  const sorted = [...p].sort((a, b) => a - b)
  const last = sorted.findLastIndex((value, index) => value <= (q * (index + 1)) / p.length)
  const bound = sorted[last] ?? -1
  return p.map((value) => value <= bound)
}

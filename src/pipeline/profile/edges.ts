/** Quantiles of a column from which its edges are made. */
export const EDGE_QUANTILES: readonly number[] = Array.from({ length: 99 }, (_, index) => (index + 1) / 100)

/**
 * Edges of a histogram from the 99 percentiles of a column (values that occur, ascending): the distinct ones. A value
 * that is two percentiles or more is an atom, such as the zeros of a count: a second edge right above it gives it a bin
 * of its own, so that a constant that grows, or zeros that become small numbers, move rows from bin to bin.
 */
export function edgesOf(percentiles: number[]): number[] {
  const edges: number[] = []
  for (const [index, value] of percentiles.entries()) {
    if (value !== edges.at(-1) && value !== percentiles[index - 1]) edges.push(value)
    const isAtom = value === percentiles[index - 1] && value !== percentiles[index + 1]
    const above = nextAbove(value)
    if (isAtom && above !== percentiles[index + 1] && Number.isFinite(above)) edges.push(above)
  }
  return edges
}

const bits = new DataView(new ArrayBuffer(8))

/** The next greater double. */
export function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? 1n : -1n))
  return bits.getFloat64(0)
}

/** The next smaller double. */
export function nextBelow(value: number): number {
  return -nextAbove(-value)
}

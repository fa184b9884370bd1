import { total } from './psi.ts'

/** Shares of counts, half a row added to each bin (Jeffreys): what was not seen may still come. */
export function smoothed(counts: Float64Array): Float64Array {
  const sum = total(counts) + counts.length / 2
  return counts.map((count) => (count + 0.5) / sum)
}

/**
 * Shares of each part, drawn towards those of all so far that their spread is what is left after sampling error: the
 * chi-square of the parts against the whole, over its degrees of freedom, is 1 by chance alone (method of moments, as
 * DerSimonian and Laird 1986).
 */
export function shrunken(shares: Float64Array, parts: Float64Array[]): Float64Array[] {
  let chi = 0
  let freedom = 0
  for (const part of parts) {
    const rows = total(part)
    for (const [bin, share] of shares.entries()) {
      if (share * rows < 1) continue
      chi += ((part[bin] ?? 0) - share * rows) ** 2 / (share * rows)
      freedom += 1 - 1 / shares.length
    }
  }
  freedom *= 1 - 1 / parts.length
  const kept = chi > freedom ? Math.sqrt(1 - freedom / chi) : 0
  return parts.map((part) => {
    const rows = total(part)
    if (rows === 0) return shares
    const own = smoothed(part)
    return shares.map((share, bin) => share + kept * ((own[bin] ?? 0) - share))
  })
}

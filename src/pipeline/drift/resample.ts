import { openRandom } from '../evaluation/bootstrap.ts'
import { multinomial } from './binomial.ts'
import { total } from './psi.ts'

export interface ResampleRequest {
  /** Counts of the reference, and of its own as-ofs (none, or several). */
  reference: Float64Array
  parts: Float64Array[]
  /** Independent rows of the reference. */
  referenceRows: number
  /** Rows of tonight. */
  rows: number
  resamples: number
  seed: number
  /** Called with each pair of a reference and a night without drift; the arrays are used again. */
  onPair(reference: Float64Array, night: Float64Array): void
}

/**
 * Pairs of a reference and a night of these sizes where nothing has drifted. The reference is drawn anew as well, since
 * its shares are an estimate too. A night is drawn from the shares of one of the reference's own as-ofs, so that what
 * differs between weekdays does not count as drift; what those shares differ by chance alone is taken out first.
 */
export function resampleNights(request: ResampleRequest): void {
  const { reference, parts, referenceRows, rows, resamples, seed, onPair } = request
  const random = openRandom(seed)
  const shares = smoothed(reference)
  const nights = parts.length < 2 ? [shares] : shrunken(shares, parts)
  const [drawn, night] = [new Float64Array(shares.length), new Float64Array(shares.length)]
  for (let draw = 0; draw < resamples; draw++) {
    multinomial(referenceRows, shares, drawn, random)
    multinomial(rows, nights[draw % nights.length] ?? shares, night, random)
    onPair(drawn, night)
  }
}

/** Shares of counts, half a row added to each bin (Jeffreys): what was not seen may still come. */
function smoothed(counts: Float64Array): Float64Array {
  const sum = total(counts) + counts.length / 2
  return counts.map((count) => (count + 0.5) / sum)
}

/**
 * Shares of each part, drawn towards those of all so far that their spread is what is left after sampling error: the
 * chi-square of the parts against the whole, over its degrees of freedom, is 1 by chance alone (method of moments, as
 * DerSimonian and Laird 1986).
 */
function shrunken(shares: Float64Array, parts: Float64Array[]): Float64Array[] {
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

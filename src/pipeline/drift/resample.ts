import { openRandom } from '../evaluation/bootstrap.ts'
import { multinomial } from './binomial.ts'
import { shrunken, smoothed } from './part-shares.ts'

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

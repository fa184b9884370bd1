import { type AsOf, grainOf } from '../../project/time/asof.ts'
import { literal } from '../engine/quote.ts'

/**
 * The `as_of` of a training set's rows: a DATE, or of sets with any other as-of than days a TIMESTAMP, the instant in UTC.
 */
export function asOfLiteral(asOf: AsOf, type: 'DATE' | 'TIMESTAMP' = typeOf([asOf])): string {
  return type === 'DATE'
    ? `DATE ${literal(asOf.label)}`
    : `TIMESTAMP ${literal(asOf.instant.slice(0, 19).replace('T', ' '))}`
}

/** The type of `as_of` in a set of these as-ofs. */
export function typeOf(asOfs: AsOf[]): 'DATE' | 'TIMESTAMP' {
  return asOfs.every((asOf) => grainOf(asOf) === 'day') ? 'DATE' : 'TIMESTAMP'
}

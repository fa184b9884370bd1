import { type AsOf, grainOf } from '../../project/time/asof.ts'
import { literal } from '../engine/quote.ts'

/** The `as_of` of a training set's rows: a DATE, or of hourly sets a TIMESTAMP, the instant in UTC. */
export function asOfLiteral(asOf: AsOf): string {
  return grainOf(asOf) === 'day'
    ? `DATE ${literal(asOf.label)}`
    : `TIMESTAMP ${literal(asOf.instant.slice(0, 19).replace('T', ' '))}`
}

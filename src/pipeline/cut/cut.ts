import type { Duration, Source } from '../../project/project.ts'
import { type Moment, momentAfter } from '../../project/time/asof.ts'
import { readInstant, showInstant } from './wall-time.ts'

/** The line between what a query may see and what it may not. */
export interface Cut {
  /** Microseconds since 1970: only what happened before it is seen. */
  at: bigint
  /** The same as a wall time of the project's zone, as `Moment.local`. */
  local: string
  /** When the data was read: what arrived later was not there. Microseconds since 1970. */
  knownAt: bigint
  /** The project's zone, in which SQL reads its timestamps. */
  timezone: string
  /** Of a history source: one row per key, the one that is valid at the cut; or, for labels, all rows that began before it. */
  history: 'latest' | 'all'
}

/** An as-of where any will do: this one leaves out no file. */
export const LAST = { instant: '2100-01-01T00:00:00Z', local: '2100-01-01 00:00:00' }

/** What features see at an as-of. `knownAt` is ISO 8601. */
export function featureCut(asOf: Moment, knownAt: string, timezone: string): Cut {
  return {
    at: readInstant(asOf.instant),
    local: asOf.local,
    knownAt: readInstant(knownAt),
    timezone,
    history: 'latest',
  }
}

/** What labels see: everything before the end of their window, of history sources every row. */
export function labelCut(labelEnd: Moment, knownAt: string, timezone: string): Cut {
  return {
    at: readInstant(labelEnd.instant),
    local: labelEnd.local,
    knownAt: readInstant(knownAt),
    timezone,
    history: 'all',
  }
}

/**
 * The latest moment, inclusive, at which a row may have become available and still be seen: the earlier of the cut
 * plus the source's `cutoff` and the moment of reading. Undefined where the source does not say when rows arrive.
 */
export function arrivalBound(source: Source, cut: Cut): bigint | undefined {
  if (source.kind !== 'events' && source.kind !== 'history') return undefined
  if (source.available_at === undefined) return undefined
  const end = source.cutoff === undefined ? cut.at : momentFrom(cut, source.cutoff, 1)
  return end < cut.knownAt ? end : cut.knownAt
}

/** The cut moved by a duration; whole days are days of the calendar, so that they end at the same time of day. */
export function momentFrom(cut: Cut, { ms, days }: Duration, sign: 1 | -1): bigint {
  const span = { ms: sign * ms, days: days === undefined ? undefined : sign * days }
  return readInstant(
    momentAfter({ instant: showInstant(cut.at), local: cut.local }, span, cut.timezone).instant,
  )
}

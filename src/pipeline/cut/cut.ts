import type { Duration, Source } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import { type Moment, momentAfter } from '../../project/time/asof.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
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
  /**
   * Of labels: what has arrived by then counts, also after a source's `cutoff`: the window's end plus `labels.lag`.
   * Microseconds since 1970.
   */
  complete?: bigint
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

/**
 * What labels see: everything before the end of their window that has arrived once their data is complete, of history
 * sources every row.
 */
export function labelCut(
  { end, complete }: Pick<LabelWindow, 'end' | 'complete'>,
  knownAt: string,
  timezone: string,
): Cut {
  return {
    at: readInstant(end.instant),
    local: end.local,
    knownAt: readInstant(knownAt),
    timezone,
    history: 'all',
    complete: readInstant(complete),
  }
}

/**
 * The column with the arrival of rows, and the moment before which a row has to have arrived to be seen: just after
 * the earlier of the cut plus the source's `cutoff` (of labels: plus `labels.lag`, if that is later) and the moment of
 * reading, so that what arrives at that moment counts. Undefined if the source does not declare when rows arrive.
 */
export function arrivalBefore(source: Source, cut: Cut): { name: string; before: bigint } | undefined {
  const { arrival } = traitsOf(source)
  if (arrival === undefined) return undefined
  const cutoff = arrival.cutoff === undefined ? cut.at : momentFrom(cut, arrival.cutoff, 1)
  const end = cut.complete !== undefined && cut.complete > cutoff ? cut.complete : cutoff
  return { name: arrival.name, before: (end < cut.knownAt ? end : cut.knownAt) + 1n }
}

/** The cut moved by a duration; whole days are days of the calendar, so that they end at the same time of day. */
export function momentFrom(cut: Cut, { ms, days }: Duration, sign: 1 | -1): bigint {
  const span = { ms: sign * ms, days: days === undefined ? undefined : sign * days }
  return readInstant(
    momentAfter({ instant: showInstant(cut.at), local: cut.local }, span, cut.timezone).instant,
  )
}

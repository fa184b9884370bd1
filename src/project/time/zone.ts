import { Temporal } from 'temporal-polyfill'
import { nearestName } from '../files/nearest.ts'

/** Instead of a zone: wall times are used unchanged, as wall times of the project's zone. */
export const LOCAL = 'local'

/** One change of clocks: from this instant on, wall time is UTC plus `offsetAfter`. Offsets are in seconds. */
export interface Transition {
  /** ISO 8601 in UTC. */
  instant: string
  offsetBefore: number
  offsetAfter: number
}

/** True for an IANA name such as `Europe/Berlin` or `UTC`; false for offsets, abbreviations unknown to ICU, typos. */
export function isTimeZone(name: string): boolean {
  const known = asked.get(name)
  if (known !== undefined) return known
  const answer = /^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name) && isKnown(name)
  asked.set(name, answer)
  return answer
}

/** Cached: Intl takes a millisecond or more per zone, and every source of every view needs it. */
const asked = new Map<string, boolean>()

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** All zones of this runtime, for suggestions. Old names (`Asia/Kolkata` for ICU's `Asia/Calcutta`) are legal too. */
function timeZoneNames(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

/** The zone that was probably meant by `Berlin`, `europe/berlin` or `Europe/Berln`; undefined if none is close. */
export function nearestZone(text: string): string | undefined {
  const names = timeZoneNames()
  const city = text.toLowerCase().replaceAll(' ', '_')
  return names.find((name) => name.toLowerCase().split('/').at(-1) === city) ?? nearestName(text, names)
}

/** The zone's changes of clocks after `from` and before `to`, in order. Takes about 0.5 ms per change when cold. */
export function transitions(
  timezone: string,
  from: Temporal.Instant | string,
  to: Temporal.Instant | string,
): Transition[] {
  const end = Temporal.Instant.from(to)
  const found: Transition[] = []
  let at = Temporal.Instant.from(from).toZonedDateTimeISO(timezone)
  for (;;) {
    const next = at.getTimeZoneTransition('next')
    if (next === null || Temporal.Instant.compare(next.toInstant(), end) >= 0) return found
    const before = next.subtract({ nanoseconds: 1 })
    found.push({
      instant: next.toInstant().toString(),
      offsetBefore: seconds(before),
      offsetAfter: seconds(next),
    })
    at = next
  }
}

/** Seconds that the zone's wall time is ahead of UTC at an instant. */
export function offsetAt(timezone: string, instant: Temporal.Instant | string): number {
  return seconds(Temporal.Instant.from(instant).toZonedDateTimeISO(timezone))
}

function seconds(at: Temporal.ZonedDateTime): number {
  return at.offsetNanoseconds / 1e9
}

/**
 * The zone between two instants as plain arithmetic, for loops over a year of ticks: Temporal takes 100 µs or more,
 * this takes less than 1 µs. Milliseconds since 1970 throughout; a wall time is encoded as if it were UTC.
 */
export interface ZoneArithmetic {
  toWall(instant: number): number
  /** The first instant of a wall time that exists twice; the first after the gap for one that does not exist. */
  fromWall(wall: number): number
}

/**
 * Prepares the arithmetic from one instant to another and two days around; beyond that, the nearest offset applies.
 */
export function zoneArithmetic(timezone: string, from: number, to: number): ZoneArithmetic {
  const margin = 2 * 86_400_000
  const first = Temporal.Instant.fromEpochMilliseconds(Math.floor(from) - margin)
  const last = Temporal.Instant.fromEpochMilliseconds(Math.ceil(to) + margin)
  const start = { from: Number.NEGATIVE_INFINITY, offset: offsetAt(timezone, first) * 1000 }
  const changes = transitions(timezone, first, last).map(({ instant, offsetAfter }) => ({
    from: Date.parse(instant),
    offset: offsetAfter * 1000,
  }))
  const stretches = [start, ...changes]
  return {
    toWall: (instant) => instant + (stretches.findLast((stretch) => stretch.from <= instant) ?? start).offset,
    fromWall(wall) {
      for (const [index, { from: begin, offset }] of stretches.entries()) {
        const end = stretches[index + 1]?.from ?? Number.POSITIVE_INFINITY
        // After the previous stretch and before this one: within the gap.
        if (wall - offset < end) return Math.max(wall - offset, begin)
      }
      return wall - start.offset
    },
  }
}

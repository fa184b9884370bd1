import { Temporal } from 'temporal-polyfill'
import { nearestName } from '../files/nearest.ts'

/** In place of a zone: wall times are taken as they are, those of the project's zone. */
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

/** Intl takes a millisecond and more for each answer, and every source of every view asks. */
const asked = new Map<string, boolean>()

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** All zones of this runtime, for suggestions. Old names (`Asia/Kolkata` for ICU's `Asia/Calcutta`) are legal beside them. */
function timeZoneNames(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

/** The zone that was probably meant by `Berlin`, `europe/berlin` or `Europe/Berln`; undefined where nothing is near. */
export function nearestZone(text: string): string | undefined {
  const names = timeZoneNames()
  const city = text.toLowerCase().replaceAll(' ', '_')
  return names.find((name) => name.toLowerCase().split('/').at(-1) === city) ?? nearestName(text, names)
}

/** The zone's changes of clocks after `from` and before `to`, in order. Costs about 0.5 ms a change when cold. */
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
 * The zone between two instants as plain arithmetic, for loops over a year of ticks: Temporal takes 100 µs and more for
 * what this does in less than one. Milliseconds since 1970 throughout; a wall time is written as if it were UTC.
 */
export interface ZoneArithmetic {
  toWall(instant: number): number
  /** The first instant of a wall time that exists twice; the first after the gap for one that does not exist. */
  fromWall(wall: number): number
}

/** Prepares the arithmetic from one instant to another and two days around; beyond, the nearest offset holds on. */
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
        // Before the stretch begins although past the one before: in the gap between them.
        if (wall - offset < end) return Math.max(wall - offset, begin)
      }
      return wall - start.offset
    },
  }
}

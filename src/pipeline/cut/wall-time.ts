import { Temporal } from 'temporal-polyfill'
import { offsetAt, transitions } from '../../project/time/zone.ts'
import type { Range } from '../sources/footers.ts'

/**
 * Time in files and time as people read it. All values are microseconds since 1970 as bigint: an instant counts from
 * 1970 in UTC, a wall time is written as if it were UTC. A column's raw values are instants (TIMESTAMPTZ, or naive
 * columns of a source in UTC) or wall times of the source's zone. Of a wall time that a clock showed twice the first
 * is meant, and one that it never showed is read by the offset before the gap: Temporal's `compatible`.
 */

/** From this raw value on (undefined: from the beginning), local time is the raw value plus `add`. */
export interface Piece {
  from: bigint | undefined
  add: bigint
}

interface Change {
  at: bigint
  before: bigint
  after: bigint
}

const SECOND = 1_000_000n
const DAY = 86_400n * SECOND
/** Before this no zone had clocks that changed; after it none are known, and `9999-12-31` is a way to say never. */
const FIRST = Temporal.Instant.from('1840-01-01T00:00Z')
const LAST = Temporal.Instant.from('2100-01-01T00:00Z')

/** The range of a column of which nothing is known. */
export const ALL_TIME: Range = { min: -9_223_372_036_854_775_807n, max: 9_223_372_036_854_775_807n }

/**
 * How raw values between `range.min` and `range.max` become local time of `to`: mostly one constant, one more for
 * each change of clocks within the range. Beyond 2100 the last offset holds on.
 */
export function pieces(from: string, to: string, range: Range): Piece[] {
  if (from === to) return [{ from: undefined, add: 0n }]
  const lowest = range.min - DAY
  const highest = range.max + DAY
  const found: Piece[] = []
  for (const stretch of stretches(from, lowest, highest)) {
    // Within one stretch of the source's clock, raw = instant + offset.
    const start = stretch.from ?? lowest
    const end = stretch.to ?? highest
    for (const inner of instantStretches(to, start - stretch.offset, end - stretch.offset)) {
      found.push({
        from: inner.from === undefined ? stretch.from : inner.from + stretch.offset,
        add: inner.offset - stretch.offset,
      })
    }
  }
  return within(found, range)
}

/** The local time of an instant. */
export function toLocal(zone: string, instant: bigint): bigint {
  return instant + offset(zone, instant)
}

/** The instant of a wall time. */
export function fromLocal(zone: string, wall: bigint): bigint {
  const stretch = stretches(zone, wall, wall).find(
    ({ from, to }) => (from === undefined || wall >= from) && (to === undefined || wall < to),
  )
  return wall - (stretch?.offset ?? 0n)
}

/**
 * The raw values whose instant lies before `instant`: those below `below`, except, in the hour of a gap, the ones in
 * `[except.from, except.to)`, which no clock ever showed.
 */
export interface RawBound {
  below: bigint
  except: { from: bigint; to: bigint } | undefined
}

export function rawBound(zone: string, instant: bigint): RawBound {
  for (const { at, before, after } of changes(zone, instant - 2n * DAY, instant + 2n * DAY)) {
    if (after > before && instant > at && instant < at + (after - before)) {
      return { below: instant + after, except: { from: instant + before, to: at + after } }
    }
    // The hour that is shown twice is read as its first time.
    if (after < before && instant > at && instant <= at + (before - after))
      return { below: at + before, except: undefined }
  }
  return { below: instant + offset(zone, instant - 1n), except: undefined }
}

/** The first date (days since 1970) that is not over at the instant, by the midnights of the zone. */
export function dateBound(zone: string, instant: bigint): bigint {
  return floorDiv(toLocal(zone, instant), DAY)
}

/** Microseconds of an ISO 8601 instant, to the last of its digits. */
export function readInstant(iso: string): bigint {
  return Temporal.Instant.from(iso).epochNanoseconds / 1000n
}

/** ISO 8601 in UTC, as Temporal writes it: no more digits than the instant has. By Date: a night shows thousands. */
export function showInstant(instant: bigint): string {
  const ms = floorDiv(instant, 1000n)
  const whole = new Date(Number(ms)).toISOString()
  const digits = `${whole.slice(-4, -1)}${String(instant - ms * 1000n).padStart(3, '0')}`.replace(/0+$/, '')
  return `${whole.slice(0, -5)}${digits === '' ? '' : `.${digits}`}Z`
}

/** The clock of a zone as stretches of raw wall time `[from, to)` with one offset each, for values around a range. */
function stretches(
  zone: string,
  lowest: bigint,
  highest: bigint,
): { from: bigint | undefined; to: bigint | undefined; offset: bigint }[] {
  const around = changes(zone, lowest - 2n * DAY, highest + 2n * DAY)
  const first = around[0]?.before ?? offset(zone, clamp(lowest))
  // In a gap the old offset holds until its end, and of an hour that comes twice so does the first.
  const bounds = around.map(({ at, before, after }) => ({
    from: at + (before > after ? before : after),
    offset: after,
  }))
  return [{ from: undefined, offset: first }, ...bounds].map((each, index) => ({
    ...each,
    to: bounds[index]?.from,
  }))
}

function instantStretches(
  zone: string,
  lowest: bigint,
  highest: bigint,
): { from: bigint | undefined; offset: bigint }[] {
  const inside = changes(zone, lowest, highest)
  const first = inside[0]?.before ?? offset(zone, clamp(lowest))
  return [{ from: undefined, offset: first }, ...inside.map(({ at, after }) => ({ from: at, offset: after }))]
}

/** Only the pieces that hold values of the range, neighbours with one offset joined. */
function within(all: Piece[], range: Range): Piece[] {
  const used = all.filter(({ from }, index) => {
    const end = all[index + 1]?.from
    return (from === undefined || from <= range.max) && (end === undefined || end > range.min)
  })
  const joined: Piece[] = []
  for (const piece of used) if (joined.at(-1)?.add !== piece.add) joined.push(piece)
  const [first, ...rest] = joined
  return first === undefined ? [{ from: undefined, add: 0n }] : [{ from: undefined, add: first.add }, ...rest]
}

const asked = new Map<string, Change[]>()

/**
 * Changes of clocks within an open range of instants. Kept by year and zone: Temporal takes 0.5 ms for each. Asked for
 * every file of a source, so the years come from Date, and UTC, the zone of most files, asks nothing.
 */
function changes(zone: string, lowest: bigint, highest: bigint): Change[] {
  if (zone === 'UTC') return []
  const firstYear = new Date(Number(clamp(lowest) / 1000n)).getUTCFullYear()
  const lastYear = new Date(Number(clamp(highest) / 1000n)).getUTCFullYear()
  const key = `${zone} ${firstYear} ${lastYear}`
  let found = asked.get(key)
  if (found === undefined) {
    found = transitions(zone, `${firstYear}-01-01T00:00:00Z`, `${lastYear + 1}-01-01T00:00:00Z`).map(
      (change) => ({
        at: readInstant(change.instant),
        before: BigInt(change.offsetBefore) * SECOND,
        after: BigInt(change.offsetAfter) * SECOND,
      }),
    )
    asked.set(key, found)
  }
  return found.filter(({ at }) => at > lowest && at < highest)
}

function offset(zone: string, instant: bigint): bigint {
  if (zone === 'UTC') return 0n
  const at = Temporal.Instant.fromEpochMilliseconds(Number(floorDiv(clamp(instant), 1000n)))
  return BigInt(offsetAt(zone, at)) * SECOND
}

function clamp(instant: bigint): bigint {
  const first = BigInt(FIRST.epochMilliseconds) * 1000n
  const last = BigInt(LAST.epochMilliseconds) * 1000n
  return instant < first ? first : instant > last ? last : instant
}

function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

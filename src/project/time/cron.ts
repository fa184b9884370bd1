import { Cron, CronPattern } from 'croner'
import { Temporal } from 'temporal-polyfill'
import { ConfigurationError } from '../files/problem.ts'

/** A cron expression of five fields, read as wall time in an IANA zone. */
export interface Clock {
  cron: string
  timezone: string
}

export interface CronTick {
  /** ISO 8601 in UTC, whole seconds: `2026-03-29T01:00:00Z`. */
  at: string
  /** The wall time of the expression, in the clock's zone: `2026-03-29 02:30`. */
  wall: string
  /**
   * `gap`: that wall time does not exist on its date, and `at` is the first instant after the gap.
   * `overlap`: it exists twice, and `at` is the first of the two.
   */
  change: 'gap' | 'overlap' | undefined
  /**
   * An instant of the same local date as `wall`: `at` itself, unless a gap spans midnight (23:00 to 0:00 in Nuuk);
   * then the last second before the gap. The as-of is computed from it, so that no date is skipped.
   */
  within: string
}

const MINUTE = 60_000
const DAY = 86_400_000

/**
 * The ticks at or after an instant, in order, without end (unless the expression has none left).
 *
 * croner only finds the matching wall times. Changes of clocks are handled here, because croner's own rule drops
 * whole nights (`0,30 2 * * *` in a gap). Between two changes the zone's offset is constant, so a run of ticks costs
 * one zone lookup, and one croner step each.
 *
 * A wall time in a gap ticks at the first instant after the gap, one that exists twice ticks at the first. An
 * expression that ticks in every hour of the day follows real hours instead: it ticks in both passes of an overlap,
 * and a tick lost in a gap is made up only if the hour after the gap has no tick (the half-hour gap of Lord Howe).
 */
export function* ticksFrom(clock: Clock, from: string): Generator<CronTick, void> {
  const pattern = readPattern(clock.cron)
  const start = Temporal.Instant.from(from)
  const first = start.epochMilliseconds + (start.epochNanoseconds % 1_000_000n === 0n ? 0 : 1)
  const zoned = start.toZonedDateTimeISO(clock.timezone)
  let begin = zoned.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')

  for (;;) {
    const offset = offsetOf(begin ?? zoned)
    const before = begin === null ? offset : offsetOf(begin.subtract({ nanoseconds: 1 }))
    const beginMs = begin === null ? Number.NEGATIVE_INFINITY : begin.epochMilliseconds
    const end = (begin ?? zoned).getTimeZoneTransition('next')
    const endMs = end === null ? Number.POSITIVE_INFINITY : end.epochMilliseconds
    const after = end === null ? offset : offsetOf(end)

    if (offset > before && beginMs >= first) {
      const missed = missedInGap(pattern, beginMs + before, beginMs + offset)
      const at = isoInstant(beginMs)
      if (missed !== undefined && sameDate(missed, beginMs + offset)) {
        yield { at, wall: isoWall(missed), change: 'gap', within: at }
      } else if (missed !== undefined && sameDate(missed, beginMs + before - 1)) {
        yield { at, wall: isoWall(missed), change: 'gap', within: isoInstant(beginMs - 1000) }
      }
      // Else it is on a date that the zone skipped, such as 2011-12-30 in Apia.
    }

    const repeated = offset < before && !pattern.hourly ? before - offset : 0
    let wall = pattern.after(Math.max(first, beginMs + repeated) + offset)
    while (wall !== undefined && wall < endMs + offset) {
      const twice = after < offset && !pattern.hourly && wall >= endMs + after
      const at = isoInstant(wall - offset)
      yield { at, wall: isoWall(wall), change: twice ? 'overlap' : undefined, within: at }
      wall = pattern.after(wall + MINUTE)
    }
    if (wall === undefined || end === null) return
    begin = end
  }
}

/** The ticks from an instant (inclusive) to another (exclusive). */
export function ticksBetween(clock: Clock, from: string, to: string): CronTick[] {
  const end = Date.parse(to)
  const ticks: CronTick[] = []
  for (const tick of ticksFrom(clock, from)) {
    if (Date.parse(tick.at) >= end) break
    ticks.push(tick)
  }
  return ticks
}

/** The first `n` ticks at or after an instant, as instants. Fewer where the expression has no more. */
export function nextTicks(clock: Clock, from: string, n: number): string[] {
  const ticks: string[] = []
  if (n <= 0) return ticks
  for (const tick of ticksFrom(clock, from)) {
    ticks.push(tick.at)
    if (ticks.length === n) break
  }
  return ticks
}

/**
 * The first wall time that a gap skipped and that has to be made up: all of them would tick at the same instant. None
 * if the expression ticks at that instant anyway, or, for hourly expressions, within a gap's length after it. `gap`
 * and `end` are the wall times around it, `[gap, end)`.
 */
function missedInGap(pattern: Pattern, gap: number, end: number): number | undefined {
  const missed = pattern.after(gap)
  if (missed === undefined || missed >= end) return undefined
  const next = pattern.after(end) ?? Number.POSITIVE_INFINITY
  const covered = pattern.hourly ? next < end + (end - gap) : next === end && sameDate(missed, end)
  return covered ? undefined : missed
}

interface Pattern {
  /** Ticks in every hour of the day. */
  hourly: boolean
  /** The first matching wall time at or after one, both as milliseconds of that wall time read as UTC. */
  after(wall: number): number | undefined
}

/** Throws a ConfigurationError if the expression is invalid. */
function readPattern(cron: string): Pattern {
  try {
    const { hour } = new CronPattern(cron, 'UTC', { mode: '5-part' })
    // Without a zone there are no gaps and no overlaps: croner only computes wall times. A step takes 10 µs with an
    // offset, 40 to 80 µs with a zone name.
    const walls = new Cron(cron, { utcOffset: 0, mode: '5-part' })
    return {
      hourly: hour.every((flag) => flag === 1),
      after: (wall) => walls.nextRun(new Date((Math.ceil(wall / 1000) - 1) * 1000))?.getTime(),
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^CronPattern: /, '') : String(cause)
    throw new ConfigurationError(
      `cron: expected five fields (minute hour day month weekday) such as "0 2 * * *", got: ${cron} (${reason})`,
      { cause },
    )
  }
}

function offsetOf(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1_000_000
}

function sameDate(wall: number, other: number): boolean {
  return Math.floor(wall / DAY) === Math.floor(other / DAY)
}

function isoInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function isoWall(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

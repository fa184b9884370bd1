import { Temporal } from 'temporal-polyfill'
import { type AsOf, asOfContaining, type Grain } from '../time/asof.ts'
import { type Clock, ticksBetween, ticksFrom } from '../time/cron.ts'
import { zoneArithmetic } from '../time/zone.ts'

/** A tick that a change of clocks moves or makes ambiguous. */
export interface ClockWarning {
  /** Local date in the clock's zone, such as `2026-03-29`. */
  date: string
  kind: 'gap' | 'overlap'
  /** The instant at which it ticks, ISO 8601 in UTC. */
  at: string
  message: string
}

const HOUR = 3_600_000
const DAY = 86_400_000

/**
 * The ticks between two instants that fall into a gap or an overlap. Checks only the time around the zone's changes
 * of clocks, so a year costs the same for a schedule that ticks every five minutes as for `0 2 * * *`.
 */
export function clockWarnings(clock: Clock, from: string, to: string): ClockWarning[] {
  const end = Date.parse(to)
  const warnings: ClockWarning[] = []
  let at = Temporal.Instant.from(from).toZonedDateTimeISO(clock.timezone).getTimeZoneTransition('next')
  for (; at !== null && at.epochMilliseconds < end; at = at.getTimeZoneTransition('next')) {
    const change = at.epochMilliseconds
    // A repeated time is before the change (its first pass); a skipped time ticks at the change.
    const around = ticksBetween(
      clock,
      new Date(Math.max(change - DAY, Date.parse(from))).toISOString(),
      new Date(change + 1000).toISOString(),
    )
    for (const tick of around) {
      if (tick.change === undefined) continue
      warnings.push({
        date: tick.wall.slice(0, 10),
        kind: tick.change,
        at: tick.at,
        message: sentence(clock, tick),
      })
    }
  }
  return warnings
}

/** Two ticks for one as-of: the slot of the second already exists. */
export interface DoubleTick {
  asOf: AsOf
  /** Instants, ISO 8601 in UTC, in order. */
  first: string
  second: string
}

/**
 * The first few as-ofs between two instants on which a schedule ticks twice, by the project's zone.
 * A tick that a gap moved into the next hour is not counted: it is one slot, due at the earlier time.
 */
export function doubleTicks(
  clock: Clock,
  grain: Grain,
  projectZone: string,
  from: string,
  to: string,
  limit = 3,
): DoubleTick[] {
  if (ticksOnce(clock, grain, projectZone)) return []
  const end = Date.parse(to)
  const zone = zoneArithmetic(projectZone, Date.parse(from), end)
  const doubles: DoubleTick[] = []
  let last: { key: number; at: string } | undefined
  for (const tick of ticksFrom(clock, from)) {
    if (Date.parse(tick.at) >= end || doubles.length >= limit) break
    if (tick.change === 'gap') continue
    // Hours are UTC's, days those of the zone: a division replaces 100 µs of Temporal for each tick of a year.
    const instant = Date.parse(tick.at)
    const key = grain === 'hour' ? Math.floor(instant / HOUR) : Math.floor(zone.toWall(instant) / DAY)
    if (last === undefined || last.key !== key) {
      last = { key, at: tick.at }
      continue
    }
    const asOf = asOfContaining(Temporal.Instant.from(tick.at), projectZone, grain)
    if (doubles.at(-1)?.asOf.instant !== asOf.instant) doubles.push({ asOf, first: last.at, second: tick.at })
  }
  return doubles
}

/** One time of day, of days that begin where the project's do: no need to look at a year of ticks. */
function ticksOnce({ cron, timezone }: Clock, grain: Grain, projectZone: string): boolean {
  const [minute = '', hour = ''] = cron.trim().split(/\s+/)
  return grain === 'day' && timezone === projectZone && /^\d+$/.test(minute) && /^\d+$/.test(hour)
}

function sentence(
  clock: Clock,
  tick: { at: string; wall: string; change: 'gap' | 'overlap' | undefined },
): string {
  const local = Temporal.Instant.from(tick.at).toZonedDateTimeISO(clock.timezone)
  const time = tick.wall.slice(11)
  const runs = `${local.toPlainTime().toString({ smallestUnit: 'minute' })} ${local.offset}`
  return tick.change === 'gap'
    ? `${tick.wall} does not exist in ${clock.timezone}: it runs at the first instant after the gap, ${local.toPlainDate()} ${runs}`
    : `${time} exists twice on ${tick.wall.slice(0, 10)} in ${clock.timezone}: it runs at the first, ${runs}`
}

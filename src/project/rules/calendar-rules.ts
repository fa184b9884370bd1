import { Temporal } from 'temporal-polyfill'
import type { Entries, Entry } from '../files/entry.ts'
import type { Problem } from '../files/problem.ts'
import type { ScheduleFile } from '../schema/schedule-schema.ts'
import type { Grain } from '../time/asof.ts'
import { type Clock, nextTicks, ticksBetween } from '../time/cron.ts'
import { transitions, zoneArithmetic } from '../time/zone.ts'
import { type ClockWarning, clockWarnings, doubleTicks } from './clock-warnings.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/**
 * Daily ticks repeat after a year. Hourly ticks are checked for a month, which covers every cron field except the
 * month.
 */
const AHEAD_MS = { day: 366 * DAY_MS, hour: 32 * DAY_MS }

/** One tick and its as-of, in milliseconds since 1970, and the as-of's label. */
interface Night {
  tick: number
  asOf: number
  label: string
}

/** A schedule with a valid cron, and the window that its rules check: ISO 8601 in UTC. */
interface Plan {
  entry: Entry<ScheduleFile>
  clock: Clock
  grain: Grain
  projectZone: string
  from: string
  to: string
}

/**
 * Calendar problems: two ticks for one as-of, waiting longer than data counts, times that a change of clocks skips or
 * repeats. Checks the time after `now`: a year for days, a month for hours.
 */
export function checkCalendar(entries: Entries, now: Date): Problem[] {
  const { timezone } = entries.settings.part
  if (timezone === undefined) return []
  const plans = entries.schedules.flatMap((entry) => planOf(entry, timezone, now) ?? [])
  const doubles = plans.flatMap(twice)
  // A schedule that ticks every minute would give half a million nights to check. Its first error is enough.
  const sound = plans.filter(({ entry }) => doubles.every(({ file }) => file !== entry.yaml.file))
  return [
    ...doubles,
    ...sound.flatMap((plan) => [
      ...waitsTooLong(plan, entries),
      ...countsTooMuch(plan, entries),
      ...changesOfClocks(plan),
    ]),
    ...sharedNights(sound),
  ]
}

function planOf(entry: Entry<ScheduleFile>, projectZone: string, now: Date): Plan | undefined {
  const { cron, grain = 'day', timezone = projectZone, start } = entry.part
  if (cron === undefined) return undefined
  const from = Math.max(now.getTime(), start === undefined ? 0 : startOf(start, projectZone))
  return {
    entry,
    clock: { cron, timezone },
    grain,
    projectZone,
    from: new Date(from).toISOString(),
    to: new Date(from + AHEAD_MS[grain]).toISOString(),
  }
}

function startOf(start: string, timezone: string): number {
  return start.length === 10
    ? Temporal.PlainDate.from(start).toZonedDateTime(timezone).epochMilliseconds
    : Temporal.Instant.from(start).epochMilliseconds
}

/** The nights of the window by the rule of `asOfContaining`, in arithmetic: 10 µs each. */
function nightsOf({ clock, grain, projectZone, from, to }: Plan): Night[] {
  const zone = zoneArithmetic(projectZone, Date.parse(from), Date.parse(to))
  return ticksBetween(clock, from, to).map(({ at, within }) => {
    const tick = Date.parse(at)
    const inside = Date.parse(within)
    if (grain === 'hour') {
      const asOf = Math.floor(inside / HOUR_MS) * HOUR_MS
      return { tick, asOf, label: `${new Date(asOf).toISOString().slice(0, 13)}Z` }
    }
    const date = Math.floor(zone.toWall(inside) / DAY_MS) * DAY_MS
    return { tick, asOf: zone.fromWall(date), label: new Date(date).toISOString().slice(0, 10) }
  })
}

function twice({ entry, clock, grain, projectZone, from, to }: Plan): Problem[] {
  const [double] = doubleTicks(clock, grain, projectZone, from, to, 1)
  if (double === undefined) return []
  const { asOf, first, second } = double
  const fix = grain === 'day' ? 'let it tick once a day, or set `grain: hour`' : 'let it tick once an hour'
  const message = `cron "${clock.cron}" ticks twice for as-of ${asOf.label} (grain: ${grain}), at ${minute(first)} and ${minute(second)}; ${fix}`
  return [problem(entry, 'error', ['cron'], message)]
}

/** Rows that arrive after as-of + cutoff never count, so waiting longer is useless. */
function waitsTooLong(plan: Plan, entries: Entries): Problem[] {
  const { part } = plan.entry
  const wait = part.retry?.wait_for_data
  const [shortest] = cutoffsOf(part, entries)
  if (wait === undefined || wait.ms === 0 || shortest === undefined) return []
  const since = ({ tick, asOf }: Night) => tick - asOf
  const unlike = unlikeNights(plan)
  if (unlike?.every((night) => since(night) + wait.ms <= shortest.ms) === true) return []
  const nights = nightsOf(plan)
  const over = nights.filter((night) => since(night) + wait.ms > shortest.ms)
  const [night] = over
  if (night === undefined) return []
  // In a zone with daylight saving time, only the long night may exceed the limit: a warning, not an error.
  const seldom = over.length <= 2 && nights.length > 20
  const which = seldom ? `for as-of ${night.label}, when the clocks change, ` : ''
  const left = shortest.ms - since(night)
  const fix = left > 0 ? `wait ${span(left)} at most, or raise cutoff` : 'tick earlier, or raise cutoff'
  const message = `${which}the tick is ${span(since(night))} after the as-of, and with wait_for_data ${wait.text} the wait ends ${span(since(night) + wait.ms)} after it; but source ${shortest.source} of view ${shortest.view} has cutoff ${shortest.text}: later rows never count; ${fix}`
  return [problem(plan.entry, seldom ? 'warning' : 'error', ['retry', 'wait_for_data'], message)]
}

/** Later than a night looks nothing should count, or training has rows that the night had not. Half a day is for hands that run it again. */
function countsTooMuch(plan: Plan, entries: Entries): Problem[] {
  const { part } = plan.entry
  const longest = cutoffsOf(part, entries).at(-1)
  const [tick] = nextTicks(plan.clock, plan.from, 1)
  if (longest === undefined || tick === undefined) return []
  const at = Date.parse(tick)
  const [night] = nightsOf({ ...plan, from: iso(at - 1), to: iso(at + 1) })
  if (night === undefined) return []
  const end = night.tick - night.asOf + (part.retry?.wait_for_data?.ms ?? 0)
  if (longest.ms <= end + DAY_MS / 2) return []
  const message = `nights look for data until ${span(end)} after the as-of, but source ${longest.source} of view ${longest.view} has cutoff ${longest.text}: training sets have rows of it that no night had; lower cutoff, or tick later`
  return [problem(plan.entry, 'advice', ['cron'], message)]
}

/**
 * The nights that may be longer or shorter than the others, with one of the others: those around changes of clocks, where
 * the cron has one time of day. It spares most projects a year of nights, 40 ms of each command. Undefined: any night may.
 */
function unlikeNights(plan: Plan): Night[] | undefined {
  const { clock, projectZone, from, to } = plan
  if (!/^\s*\d+\s+\d+\s/.test(clock.cron)) return undefined
  const changes = [...new Set([clock.timezone, projectZone])].flatMap((zone) => transitions(zone, from, to))
  const [first] = nextTicks(clock, from, 1)
  const around = [
    ...(first === undefined ? [] : [Date.parse(first)]),
    ...changes.map(({ instant }) => Date.parse(instant)),
  ]
  return around.flatMap((at) =>
    nightsOf({
      ...plan,
      from: iso(Math.max(Date.parse(from), at - 2 * DAY_MS)),
      to: iso(Math.min(Date.parse(to), at + 2 * DAY_MS)),
    }),
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

interface Cutoff {
  view: string
  source: string
  text: string
  ms: number
}

/** Of the sources that the schedule's nights read, the shortest first. */
function cutoffsOf(part: Entry<ScheduleFile>['part'], { views, models }: Entries): Cutoff[] {
  const scored = models.filter(({ name }) => part.score?.includes(name)).map((model) => model.part.view)
  const read = new Set([...(part.refresh ?? []), ...scored])
  const cutoffs = views
    .filter(({ name }) => read.has(name))
    .flatMap(({ name, part: view }) =>
      Object.entries(view.sources ?? {}).flatMap(([source, given]) =>
        'cutoff' in given && given.cutoff !== undefined ? [{ view: name, source, ...given.cutoff }] : [],
      ),
    )
  return cutoffs.toSorted((a, b) => a.ms - b.ms)
}

function changesOfClocks({ entry, clock, from, to }: Plan): Problem[] {
  return clockWarnings(clock, from, to).map(({ message }: ClockWarning) =>
    problem(entry, 'warning', ['cron'], `${message}; another time of day avoids it`),
  )
}

/** If two schedules share a slot, the earlier due time and the earlier deadline apply. */
function sharedNights(plans: Plan[]): Problem[] {
  const problems: Problem[] = []
  const active = plans.filter(({ entry }) => entry.part.paused !== true)
  for (const [index, later] of active.entries()) {
    for (const earlier of active.slice(0, index)) {
      for (const key of ['score', 'refresh'] as const) {
        const names = later.entry.part[key] ?? []
        const shared = names.find((name) => earlier.entry.part[key]?.includes(name))
        if (shared === undefined) continue
        const taken = new Set(nightsOf(earlier).map(({ asOf }) => asOf))
        const night = nightsOf(later).find(({ asOf }) => taken.has(asOf))
        if (night === undefined) continue
        const message = `${shared} is in schedule ${earlier.entry.name} too, and both tick for as-of ${night.label}: it is published once, due at the earlier of the two`
        problems.push(problem(later.entry, 'warning', [key, names.indexOf(shared)], message))
      }
    }
  }
  return problems
}

function minute(instant: string): string {
  return instant.replace(/:00Z$/, 'Z')
}

/** `2h`, `4h30m`, `90s`. */
function span(ms: number): string {
  const hours = Math.floor(ms / HOUR_MS)
  const minutes = (ms % HOUR_MS) / 60_000
  if (!Number.isInteger(minutes)) return `${Math.round(ms / 1000)}s`
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}` || '0m'
}

function problem(
  entry: Entry<ScheduleFile>,
  severity: Problem['severity'],
  path: PropertyKey[],
  message: string,
): Problem {
  return { severity, file: entry.yaml.file, ...entry.yaml.place(path), message }
}

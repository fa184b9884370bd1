import { Temporal } from 'temporal-polyfill'
import type { Entries, Entry } from '../entry.ts'
import type { Problem } from '../problem.ts'
import type { ScheduleFile } from '../schema/schedule.ts'
import { type Tick, ticks } from '../ticks.ts'
import { type ZoneArithmetic, zoneArithmetic } from '../zone.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Nights repeat after a year; hours after a month, in which every field of a cron but the month has come round. */
const AHEAD_MS = { day: 366 * DAY_MS, hour: 32 * DAY_MS }

/** One tick with the as-of that it stands for, in milliseconds since 1970 and by its label. */
interface Night {
  tick: Tick
  asOf: number
  label: string
}

interface Plan {
  entry: Entry<ScheduleFile>
  timezone: string
  grain: 'day' | 'hour'
  nights: Night[]
}

/**
 * What follows from the calendar: two ticks on one as-of, waiting longer than data counts, times that a change of
 * clocks skips or repeats. Looks ahead from `now`, a year for days: 5 ms a schedule.
 */
export function checkCalendar(entries: Entries, now: Date): Problem[] {
  const { timezone } = entries.settings.part
  if (timezone === undefined) return []
  const plans = entries.schedules.flatMap((entry) => {
    const plan = planOf(entry, timezone, now.getTime())
    return plan === undefined ? [] : [plan]
  })
  return [
    ...plans.flatMap((plan) => [...twice(plan), ...waitsTooLong(plan, entries), ...changesOfClocks(plan)]),
    ...sharedNights(plans),
  ]
}

function planOf(entry: Entry<ScheduleFile>, projectZone: string, now: number): Plan | undefined {
  const { cron, grain = 'day', timezone = projectZone, start } = entry.part
  if (cron === undefined) return undefined
  const from = Math.max(now, start === undefined ? now : startOf(start, projectZone))
  const to = from + AHEAD_MS[grain]
  const zone = zoneArithmetic(projectZone, from - DAY_MS, to)
  const nights: Night[] = []
  for (const tick of ticks(cron, timezone, from, to)) {
    const asOf = asOfOf(tick.instant, zone, grain)
    nights.push({ tick, asOf, label: labelOf(asOf, zone, grain) })
    // More would not say more, and `* * * * *` has half a million.
    if (nights.at(-2)?.asOf === asOf) break
  }
  return { entry, timezone, grain, nights }
}

/** The same rule as `asOfContaining`, in arithmetic. */
function asOfOf(instant: number, zone: ZoneArithmetic, grain: 'day' | 'hour'): number {
  if (grain === 'hour') return Math.floor(instant / HOUR_MS) * HOUR_MS
  return zone.fromWall(Math.floor(zone.toWall(instant) / DAY_MS) * DAY_MS).instant
}

function labelOf(asOf: number, zone: ZoneArithmetic, grain: 'day' | 'hour'): string {
  if (grain === 'hour') return `${new Date(asOf).toISOString().slice(0, 13)}Z`
  return new Date(zone.toWall(asOf)).toISOString().slice(0, 10)
}

function startOf(start: string, timezone: string): number {
  return start.length === 10
    ? Temporal.PlainDate.from(start).toZonedDateTime(timezone).epochMilliseconds
    : Temporal.Instant.from(start).epochMilliseconds
}

function twice({ entry, grain, nights }: Plan): Problem[] {
  const index = nights.findIndex((night, at) => night.asOf === nights[at - 1]?.asOf)
  const [first, second] = [nights[index - 1], nights[index]]
  if (first === undefined || second === undefined) return []
  const fix = grain === 'day' ? 'let it tick once a day, or set `grain: hour`' : 'let it tick once an hour'
  return [
    problem(
      entry,
      'error',
      ['cron'],
      `cron ${quoted(entry)} ticks twice for as-of ${first.label} (grain: ${grain}), at ${iso(first.tick.instant)} and ${iso(second.tick.instant)}; ${fix}`,
    ),
  ]
}

/** Rows that arrive after as-of + cutoff never count: to wait longer for them is to wait for nothing. */
function waitsTooLong({ entry, nights }: Plan, entries: Entries): Problem[] {
  const wait = entry.part.retry?.wait_for_data
  const shortest = shortestCutoff(entry.part, entries)
  if (wait === undefined || wait.ms === 0 || shortest === undefined) return []
  const over = nights.filter(({ tick, asOf }) => tick.instant + wait.ms > asOf + shortest.ms)
  const [night] = over
  if (night === undefined) return []
  const since = night.tick.instant - night.asOf
  // In a zone with summer time a long night may be over where all others are not: told, but no reason to stop.
  const seldom = over.length <= 2 && nights.length > 20
  const which = seldom ? `for as-of ${night.label}, where clocks change, ` : ''
  const left = shortest.ms - since
  const fix = left > 0 ? `wait ${span(left)} at most, or raise cutoff` : 'tick earlier, or raise cutoff'
  return [
    problem(
      entry,
      seldom ? 'warning' : 'error',
      ['retry', 'wait_for_data'],
      `${which}the tick is ${span(since)} after the as-of, and with wait_for_data ${wait.text} waiting ends ${span(since + wait.ms)} after it; but source ${shortest.source} of view ${shortest.view} has cutoff ${shortest.text}: later rows never count; ${fix}`,
    ),
  ]
}

function shortestCutoff(part: Entry<ScheduleFile>['part'], { views, models }: Entries) {
  const read = new Set([
    ...(part.refresh ?? []),
    ...(part.score ?? []).map((model) => models.find(({ name }) => name === model)?.part.view),
  ])
  return views
    .filter(({ name }) => read.has(name))
    .flatMap(({ name, part: view }) =>
      Object.entries(view.sources ?? {}).flatMap(([source, given]) =>
        'cutoff' in given && given.cutoff !== undefined ? [{ view: name, source, ...given.cutoff }] : [],
      ),
    )
    .reduce<{ view: string; source: string; text: string; ms: number } | undefined>(
      (least, each) => (least === undefined || each.ms < least.ms ? each : least),
      undefined,
    )
}

function changesOfClocks({ entry, timezone, nights }: Plan): Problem[] {
  return nights.flatMap(({ tick }) => {
    if (tick.kind === 'once' || !namesHours(entry)) return []
    const [date, time] = tick.wall.split(' ')
    const at = iso(tick.instant)
    const message =
      tick.kind === 'gap'
        ? `${time} does not exist on ${date} in ${timezone}, where clocks go forward: that tick comes at ${at}, the first instant after the gap`
        : `${time} exists twice on ${date} in ${timezone}, where clocks go back: it ticks once, at the first, ${at}`
    return [problem(entry, 'warning', ['cron'], `${message}; another time of day avoids it`)]
  })
}

/** Patterns such as `0 * * * *` tick in every real hour, whatever the clocks show: nothing to tell. */
function namesHours(entry: Entry<ScheduleFile>): boolean {
  const hours = entry.part.cron?.trim().split(/\s+/)[1] ?? ''
  return !hours.includes('*')
}

/** A slot is one thing with one due time and one deadline: two schedules cannot both promise it. */
function sharedNights(plans: Plan[]): Problem[] {
  const problems: Problem[] = []
  const active = plans.filter(({ entry }) => entry.part.paused !== true)
  for (const [index, later] of active.entries()) {
    for (const earlier of active.slice(0, index)) {
      for (const key of ['score', 'refresh'] as const) {
        const shared = (later.entry.part[key] ?? []).find((name) => earlier.entry.part[key]?.includes(name))
        if (shared === undefined) continue
        const asOfs = new Set(earlier.nights.map(({ asOf }) => asOf))
        const night = later.nights.find(({ asOf }) => asOfs.has(asOf))
        if (night === undefined) continue
        const at = later.entry.part[key]?.indexOf(shared) ?? 0
        problems.push(
          problem(
            later.entry,
            'error',
            [key, at],
            `${shared} is in schedule ${earlier.entry.name} too, and both tick for as-of ${night.label}: a partition is promised once; take it out of one of them`,
          ),
        )
      }
    }
  }
  return problems
}

function quoted(entry: Entry<ScheduleFile>): string {
  return `"${entry.part.cron}"`
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`
}

/** `90m` or `2h`: the largest unit that is whole, up to hours. */
function span(ms: number): string {
  if (ms % HOUR_MS === 0) return `${ms / HOUR_MS}h`
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${Math.round(ms / 1000)}s`
}

function problem(
  entry: Entry<ScheduleFile>,
  severity: Problem['severity'],
  path: PropertyKey[],
  message: string,
): Problem {
  return { severity, file: entry.yaml.file, ...entry.yaml.place(path), message }
}

import { Temporal } from 'temporal-polyfill'
import type { Kind } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project, Schedule } from '../../project/project.ts'
import { type AsOf, asOfContaining } from '../../project/time/asof.ts'
import { nextTicks as nextCronTicks, ticksBetween } from '../../project/time/cron.ts'
import { readDuration } from '../../project/time/duration.ts'

/** A slot as planned by the calendar. Times are ISO 8601 in UTC. */
export interface PlannedSlot {
  kind: Kind
  name: string
  asOf: AsOf
  schedule: string
  due: string
  deadline: string | undefined
}

/**
 * The part of a schedule that determines its slots. Stored in the ledger, so that an edit changes only future slots.
 */
export type ScheduleDefinition = Pick<
  Schedule,
  'cron' | 'timezone' | 'grain' | 'score' | 'refresh' | 'deadline' | 'start' | 'paused'
>

/** Views whose partitions a model's night needs (for its champion, challengers and warm versions), by model. */
export type ViewsOfModels = Record<string, string[]>

export function definitionOf(schedule: Schedule): ScheduleDefinition {
  const { cron, timezone, grain, score, refresh, deadline, start, paused } = schedule
  return { cron, timezone, grain, score, refresh, deadline, start, paused }
}

/**
 * The slots of a schedule whose ticks lie between one instant (inclusive) and another (exclusive), oldest first, a
 * view's slots before those of the models that need it. One slot per (kind, name, label): if two ticks have the same
 * as-of, the first counts. Models that are not (or no longer) in the project are left out.
 *
 * The as-of is the start of the grain that contains the tick in the project's zone; the schedule's own zone affects
 * only the tick.
 */
export function expandSlots(
  project: Project,
  schedule: Schedule,
  from: string,
  to: string,
  views: ViewsOfModels = {},
): PlannedSlot[] {
  const slots: PlannedSlot[] = []
  const models = schedule.score.filter((model) => project.models[model] !== undefined)
  const refreshed = [...schedule.refresh, ...models.flatMap((model) => viewsOf(project, model, views))]
  for (const tick of ticksBetween(schedule, from, to)) {
    const asOf = asOfContaining(Temporal.Instant.from(tick.within), project.timezone, schedule.grain)
    const rest = { asOf, schedule: schedule.name, due: tick.at, deadline: deadlineAfter(schedule, tick.at) }
    for (const name of refreshed) slots.push({ kind: 'features', name, ...rest })
    for (const name of models) slots.push({ kind: 'scores', name, ...rest })
  }
  return mergeSlots(slots)
}

/** How far back the newest night of a schedule is looked for: some run once a month. */
const NEWEST_WITHIN = { hours: 24 * 62 }

/** The as-of of a model's or view's newest night that is due at an instant, or of any; undefined if no schedule has one. */
export function newestDue(
  project: Project,
  name: string | undefined,
  now: Temporal.Instant,
): string | undefined {
  const from = now.subtract(NEWEST_WITHIN).toString()
  const slots = Object.values(project.schedules)
    .filter(({ paused }) => !paused)
    .flatMap((schedule) => expandSlots(project, schedule, from, now.toString()))
    .filter((slot) => name === undefined || slot.name === name)
  return slots.toSorted((a, b) => Date.parse(a.asOf.instant) - Date.parse(b.asOf.instant)).at(-1)?.asOf.label
}

/**
 * One slot per (kind, name, as-of), with the earliest due time and the earliest deadline of all. Slots of the
 * schedules in `paused` count only if no other schedule has the slot.
 */
export function mergeSlots(slots: PlannedSlot[], paused: ReadonlySet<string> = new Set()): PlannedSlot[] {
  const merged = new Map<string, PlannedSlot>()
  for (const slot of slots) {
    const key = slotKey(slot.kind, slot.name, slot.asOf.label)
    const other = merged.get(key)
    if (other === undefined) merged.set(key, slot)
    else if (paused.has(other.schedule) !== paused.has(slot.schedule)) {
      merged.set(key, paused.has(slot.schedule) ? other : slot)
    } else {
      const winner = Date.parse(slot.due) < Date.parse(other.due) ? slot : other
      merged.set(key, { ...winner, deadline: earliest(slot.deadline, other.deadline) })
    }
  }
  return [...merged.values()].sort(
    (a, b) =>
      Date.parse(a.due) - Date.parse(b.due) ||
      (a.kind === b.kind ? compare(a.name, b.name) : compare(a.kind, b.kind)),
  )
}

/** The first `n` ticks of a schedule at or after an instant, ISO 8601 in UTC. */
export function nextTicks(schedule: Schedule, from: string, n: number): string[] {
  return nextCronTicks(schedule, from, n)
}

/**
 * The deadline of a tick: the next such local time in the schedule's zone, or a duration after the tick (`+20m`). A
 * local time affected by a clock change is moved like a tick. Undefined if the schedule has none.
 */
export function deadlineAfter(schedule: Schedule, tick: string): string | undefined {
  const { deadline } = schedule
  if (deadline === undefined) return undefined
  const after = deadline.startsWith('+') ? readDuration(deadline.slice(1)) : undefined
  if (after !== undefined) return isoSeconds(Date.parse(tick) + after.ms)
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(deadline)
  if (time === null) {
    throw new ConfigurationError(
      `${schedule.file}: expected deadline to be a local time such as "06:00" or a time after the tick such as "+20m", got: ${deadline}`,
    )
  }
  const cron = `${Number(time[2])} ${Number(time[1])} * * *`
  return nextCronTicks({ cron, timezone: schedule.timezone }, isoSeconds(Date.parse(tick) + 1000), 1)[0]
}

/** The views that a model's partition is computed from. */
export function viewsOf(project: Project, model: string, views: ViewsOfModels): string[] {
  const listed = views[model]
  if (listed !== undefined && listed.length > 0) return listed
  const view = project.models[model]?.view
  return view === undefined ? [] : [view]
}

/** A slot's identity, as in its path. */
export function slotKey(kind: Kind, name: string, label: string): string {
  return `${kind}/${name}/${label}`
}

function earliest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Date.parse(a) <= Date.parse(b) ? a : b
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

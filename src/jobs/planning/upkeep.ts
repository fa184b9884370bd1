import type { Project, Schedule } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import {
  definitionOf,
  expandSlots,
  mergeSlots,
  type PlannedSlot,
  type ScheduleDefinition,
  slotKey,
} from './calendar.ts'
import {
  type Action,
  type Board,
  type LedgerSlot,
  type LedgerView,
  refOf,
  type ScheduleRecord,
} from './ledger-view.ts'
import { refreshedViews, shadowOnlyViews } from './shadow-views.ts'

const HOUR = 3_600_000
/** How far ahead slots exist: the promised 48 hours, plus a day in which no scheduler may run. */
const AHEAD_MS = 72 * HOUR
/** Longer than any local date: covers the ticks of every as-of that contains now. */
const ONE_GRAIN_MS = 26 * HOUR

export function keyOf(slot: { kind: LedgerSlot['kind']; name: string; partition: string }): string {
  return slotKey(slot.kind, slot.name, slot.partition)
}

/**
 * Slots due from this instant on must be in a LedgerView, in addition to all that are not at rest (expected, waiting,
 * queued, running, publishing, or requested), those past an unreported deadline, and the view's slots of the same
 * as-ofs.
 */
export function ledgerSince(schedules: Record<string, ScheduleRecord>, now: string): string {
  const oldest = Math.min(Date.parse(now), ...Object.values(schedules).map(({ seen }) => Date.parse(seen)))
  return new Date(oldest - ONE_GRAIN_MS).toISOString()
}

/**
 * Aligns the ledger's slots with the calendar. Past slots follow the definition that was valid then, as stored in the
 * ledger; future slots follow the files. An edit therefore changes only future slots.
 */
export function planUpkeep(view: LedgerView, board: Board): Action[] {
  const { project, now } = view
  const paused = new Set(
    Object.values(project.schedules).flatMap(({ name, paused }) => (paused ? [name] : [])),
  )
  const planned = mergeSlots(
    Object.values(project.schedules).flatMap((schedule) => wantedOf(view, schedule)),
    paused,
  )
  const actions: Action[] = []
  const missing = planned.filter((slot) => !board.has(slotKey(slot.kind, slot.name, slot.asOf.label)))
  for (const slot of planned) {
    const existing = board.get(slotKey(slot.kind, slot.name, slot.asOf.label))
    if (existing !== undefined) actions.push(...align(slot, existing, now))
  }
  actions.push(...removals(view, board, planned))
  if (missing.length > 0) {
    actions.unshift({ type: 'create-slots', slots: missing, reason: 'the calendar expects them' })
    for (const slot of missing.map((planned) => toLedgerSlot(planned, now))) board.set(keyOf(slot), slot)
  }
  return [...actions, ...schedulesSeen(view)]
}

function wantedOf(view: LedgerView, schedule: Schedule): PlannedSlot[] {
  const { project, now } = view
  const views = refreshedViews(view)
  const shadowOnly = shadowOnlyViews(view)
  const record = view.schedules[schedule.name]
  const then = record === undefined ? schedule : { ...schedule, ...complete(record.definition) }
  const firstSeen = Date.parse(record?.first_seen ?? now)
  const pastFrom = Math.max(
    begin(project, then, firstSeen),
    record === undefined ? 0 : Date.parse(record.seen),
  )
  const aheadFrom = Math.max(begin(project, schedule, firstSeen), Date.parse(now))
  return [
    ...expand(project, then, pastFrom, Date.parse(now), views),
    ...expand(project, schedule, aheadFrom, Date.parse(now) + AHEAD_MS, views),
  ].map((slot) =>
    // There were no promises before the schedule was first seen, and none for features that only a shadow reads.
    Date.parse(slot.due) < firstSeen || (slot.kind === 'features' && shadowOnly.has(slot.name))
      ? { ...slot, deadline: undefined }
      : slot,
  )
}

/** Where the slots of a schedule start, in milliseconds: a `start` that is a date refers to the project's zone. */
function begin(project: Project, definition: ScheduleDefinition, firstSeen: number): number {
  if (definition.start === undefined) return firstSeen
  const date = /^\d{4}-\d{2}-\d{2}$/.test(definition.start)
  return Date.parse(date ? parseAsOf(definition.start, project.timezone).instant : definition.start)
}

function expand(
  project: Project,
  schedule: Schedule,
  from: number,
  to: number,
  views: LedgerView['views'],
): PlannedSlot[] {
  return from < to
    ? expandSlots(project, schedule, new Date(from).toISOString(), new Date(to).toISOString(), views)
    : []
}

/** A future slot that has not started takes its instant, schedule, due time and deadline from the calendar. */
function align(planned: PlannedSlot, existing: LedgerSlot, now: string): Action[] {
  const ahead = Date.parse(planned.due) > Date.parse(now)
  const untouched = existing.state === 'expected' && existing.run === null
  const waitsAhead = existing.due !== null && Date.parse(existing.due) > Date.parse(now)
  // A slot created manually before its night is adopted, unless that night is already published.
  const adoptable = existing.state === 'expected' || existing.state === 'failed'
  const movable = ahead && (existing.schedule === null ? adoptable : untouched && waitsAhead)
  // The label of a published slot keeps its original meaning.
  const as_of = existing.published_run === null ? planned.asOf.instant : existing.as_of
  const same =
    sameTime(existing.as_of, as_of) &&
    existing.schedule === planned.schedule &&
    sameTime(existing.due, planned.due) &&
    sameTime(existing.deadline, planned.deadline ?? null)
  if (!movable || same) return []
  const { schedule, due, deadline } = planned
  const reason =
    existing.schedule === null
      ? `schedule ${schedule} expects it too`
      : `schedule ${schedule} has changed: due at ${due}`
  Object.assign(existing, { as_of, schedule, due, deadline: deadline ?? null })
  return [{ type: 'move-slot', slot: refOf(existing), schedule, due, deadline, reason }]
}

function removals(view: LedgerView, board: Board, planned: PlannedSlot[]): Action[] {
  const { project, now } = view
  const views = refreshedViews(view)
  const clock = Date.parse(now)
  const keys = new Set(planned.map((slot) => slotKey(slot.kind, slot.name, slot.asOf.label)))
  // If the time is edited at noon from 22:00 to 10:00, tonight's slot is kept: it is still expected, and its new time
  // has passed.
  for (const schedule of Object.values(project.schedules)) {
    for (const slot of expand(project, schedule, clock - ONE_GRAIN_MS, clock, views)) {
      keys.add(slotKey(slot.kind, slot.name, slot.asOf.label))
    }
  }
  const actions: Action[] = []
  for (const [key, slot] of board) {
    const due = slot.due === null ? Number.NaN : Date.parse(slot.due)
    // Another scheduler's clock may be ahead of ours and have created slots that we do not plan yet.
    const ahead = due > clock && due < clock + AHEAD_MS
    const untouched = slot.state === 'expected' && slot.run === null && slot.request === null
    if (slot.schedule === null || !ahead || !untouched || keys.has(key)) continue
    const gone = project.schedules[slot.schedule] === undefined
    const reason = `schedule ${slot.schedule} ${gone ? 'is no longer there' : 'no longer expects it'}`
    actions.push({ type: 'remove-slot', slot: refOf(slot), reason })
    board.delete(key)
  }
  return actions
}

function schedulesSeen(view: LedgerView): Action[] {
  const actions: Action[] = []
  for (const schedule of Object.values(view.project.schedules)) {
    const record = view.schedules[schedule.name]
    const definition = definitionOf(schedule)
    const known =
      record !== undefined &&
      Date.parse(record.seen) >= Date.parse(view.now) &&
      sameDefinition(record.definition, definition)
    if (known) continue
    const first_seen = record?.first_seen ?? view.now
    actions.push({ type: 'see-schedule', schedule: schedule.name, first_seen, at: view.now, definition })
  }
  for (const schedule of Object.keys(view.schedules)) {
    if (view.project.schedules[schedule] !== undefined) continue
    const reason = 'it no longer exists; if it returns, it starts anew'
    actions.push({ type: 'forget-schedule', schedule, reason })
  }
  return actions
}

/** jsonb drops undefined keys: today's deadline must not appear under yesterday's definition. */
function complete(stored: ScheduleDefinition): ScheduleDefinition {
  const { cron, timezone, grain, score, refresh, deadline, start, paused } = stored
  return { cron, timezone, grain, score, refresh, deadline, start, paused }
}

function sameDefinition(a: ScheduleDefinition, b: ScheduleDefinition): boolean {
  // jsonb does not preserve key order and undefined keys.
  const text = (definition: ScheduleDefinition) => JSON.stringify(complete(definition))
  return text(a) === text(b)
}

function sameTime(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : Date.parse(a) === Date.parse(b)
}

function toLedgerSlot(slot: PlannedSlot, now: string): LedgerSlot {
  return {
    kind: slot.kind,
    name: slot.name,
    as_of: slot.asOf.instant,
    partition: slot.asOf.label,
    state: 'expected',
    schedule: slot.schedule,
    due: slot.due,
    deadline: slot.deadline ?? null,
    reason: null,
    waits_for: null,
    request: null,
    run: null,
    published_run: null,
    changed_at: now,
    late: false,
  }
}

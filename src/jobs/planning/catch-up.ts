import type { Schedule } from '../../project/project.ts'
import { slotKey, viewsOf } from './calendar.ts'
import type { Board } from './ledger-view.ts'
import { type Action, type LedgerSlot, type LedgerView, refOf, type SkipCause } from './ledger-view.ts'
import { keyOf } from './upkeep.ts'

/** A night started this late does not count as missed: a scheduler may need that long to restart. */
const GRACE_MS = 10 * 60_000

type Skip = Extract<Action, { type: 'skip-slot' }>

/** All slots of one schedule and one as-of: they are caught up or skipped together. */
interface Night {
  due: number
  partition: string
  begun: boolean
  slots: LedgerSlot[]
}

/**
 * Which due slots must not run: those of a paused or removed schedule, and missed nights that `catch_up` excludes.
 * A night of which any part has started is never skipped, however long it takes.
 *
 * all     the newest `max` missed nights run, oldest first
 * latest  the newest due night runs
 * none    missed nights do not run
 */
export function planSkips(view: LedgerView, board: Board): Skip[] {
  const begun = new Set([...board.values()].filter(isBegun).map(nightKey))
  const nights = new Map<string, Map<string, Night>>()
  const skips: Skip[] = []
  for (const slot of dueSlots(view, board)) {
    const schedule = view.project.schedules[slot.schedule]
    if (schedule === undefined || !isNamed(view, slot)) {
      const what =
        schedule === undefined
          ? `schedule ${slot.schedule}`
          : `${slot.kind === 'scores' ? 'model' : 'view'} ${slot.name}`
      skips.push(skip(slot, 'removed', `${what} was removed before it ran`))
    } else if (schedule.paused) {
      skips.push(skip(slot, 'paused', `schedule ${schedule.name} is paused`))
    } else {
      collect(nights, slot, begun.has(nightKey(slot)) || viewsBegun(view, board, slot))
    }
  }
  for (const [name, of] of nights) {
    const schedule = view.project.schedules[name]
    if (schedule !== undefined) skips.push(...catchUp(schedule, [...of.values()], Date.parse(view.now)))
  }
  return skips
}

/** Slots that are due and that their schedule is to start. */
export function* dueSlots(
  view: LedgerView,
  board: Board,
): Generator<LedgerSlot & { schedule: string; due: string }> {
  const now = Date.parse(view.now)
  for (const slot of board.values()) {
    const { schedule, due } = slot
    if (slot.state !== 'expected' || slot.request !== null || schedule === null || due === null) continue
    if (Date.parse(due) <= now) yield Object.assign(slot, { schedule, due })
  }
}

function collect(
  nights: Map<string, Map<string, Night>>,
  slot: LedgerSlot & { schedule: string; due: string },
  begun: boolean,
): void {
  const of = nights.get(slot.schedule) ?? new Map<string, Night>()
  nights.set(slot.schedule, of)
  const key = slot.partition
  const night = of.get(key) ?? {
    due: Date.parse(slot.due),
    partition: slot.partition,
    begun: false,
    slots: [],
  }
  of.set(key, night)
  night.begun ||= begun
  night.slots.push(slot)
}

function catchUp(schedule: Schedule, nights: Night[], now: number): Skip[] {
  const { policy, max } = schedule.catch_up
  const open = nights.filter((night) => !night.begun).sort((a, b) => b.due - a.due)
  const [newest] = open
  if (newest === undefined) return []
  const missed = open.filter((night) => now - night.due > GRACE_MS)
  const left = (night: Night, reason: string) => night.slots.map((slot) => skip(slot, 'catch-up', reason))
  switch (policy) {
    case 'all':
      return missed
        .slice(max)
        .flatMap((night) => left(night, `catch_up all, max ${max}: ${max} newer nights were missed`))
    case 'latest':
      return open
        .slice(1)
        .flatMap((night) => left(night, `catch_up latest: a newer slot is due (${newest.partition})`))
    case 'none':
      return missed.flatMap((night) =>
        left(
          night,
          `catch_up none: no scheduler was running when it was due (${new Date(night.due).toISOString()})`,
        ),
      )
    default:
      return unknownPolicy(policy)
  }
}

/** True if the views of a slot are being refreshed, were refreshed, or failed. */
function viewsBegun(view: LedgerView, board: Board, slot: LedgerSlot): boolean {
  return neededViews(view, slot).some((name) => {
    const features = board.get(slotKey('features', name, slot.partition))
    return features !== undefined && isBegun(features)
  })
}

function nightKey(slot: LedgerSlot): string {
  return `${slot.schedule}/${slot.partition}`
}

function isBegun(slot: LedgerSlot): boolean {
  return slot.run !== null || (slot.state !== 'expected' && slot.state !== 'skipped')
}

/** The views whose partitions a scores slot needs; none for a features slot. */
export function neededViews(view: LedgerView, slot: LedgerSlot): string[] {
  if (slot.kind === 'features') return []
  return slot.views ?? viewsOf(view.project, slot.name, view.views)
}

/** A view of a live version may have been removed from the files: its slots exist because a model needs them. */
function isNamed(view: LedgerView, slot: LedgerSlot): boolean {
  if (slot.kind === 'scores') return view.project.models[slot.name] !== undefined
  return (
    view.project.views[slot.name] !== undefined ||
    Object.values(view.views).some((views) => views.includes(slot.name))
  )
}

function skip(slot: LedgerSlot, cause: SkipCause, reason: string): Skip {
  return { type: 'skip-slot', slot: refOf(slot), cause, reason }
}

function unknownPolicy(policy: never): never {
  throw new Error(`expected catch_up.policy to be all, latest or none, got: ${String(policy)}`)
}

/** Keys of the slots that a plan skips. */
export function skippedKeys(skips: Skip[]): Map<string, Skip> {
  return new Map(skips.map((action) => [keyOf(action.slot), action]))
}

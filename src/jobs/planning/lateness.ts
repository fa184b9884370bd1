import { slotKey } from './calendar.ts'
import { neededViews } from './catch-up.ts'
import type { Board } from './ledger-view.ts'
import { type Action, type IncidentPlan, type LedgerSlot, type LedgerView, refOf } from './ledger-view.ts'
import { keyOf } from './upkeep.ts'

type Missed = Extract<Action, { type: 'deadline-missed' }>
type GivenUp = Extract<Action, { type: 'night-given-up' }>
type Skip = Extract<Action, { type: 'skip-slot' }>

/**
 * Slots past their deadline that are not published, each reported once. A slot that catch-up gives up is reported at
 * once, since it will miss its deadline; a paused slot, or one skipped by a person, has no deadline to keep. Slots of
 * manual runs and backfills have no deadline.
 */
export function planLateness(view: LedgerView, board: Board, skips: Map<string, Skip>): Missed[] {
  const now = Date.parse(view.now)
  const missed: Missed[] = []
  for (const slot of board.values()) {
    const { deadline, schedule } = slot
    if (deadline === null || schedule === null || slot.late || slot.published_run !== null) continue
    const skip = skips.get(keyOf(slot))
    const passed = Date.parse(deadline) <= now
    if (slot.state === 'skipped' || (skip === undefined ? !passed : skip.cause !== 'catch-up')) continue
    const reason =
      skip === undefined ? explain(view, board, slot) : `it will not be published: ${skip.reason}`
    missed.push({
      type: 'deadline-missed',
      slot: refOf(slot),
      deadline,
      incident: incidentOf(view, board, slot, skips),
      reason,
    })
  }
  return missed.sort((a, b) => Date.parse(a.deadline) - Date.parse(b.deadline))
}

/**
 * Slots without a deadline that catch-up gives up: nobody was promised a time, but a night that is never computed is
 * reported all the same. A view is not reported if scores that need it are given up in the same plan.
 */
export function planGivenUp(view: LedgerView, board: Board, skips: Map<string, Skip>): GivenUp[] {
  const givenUp = [...skips].flatMap(([key, { cause, reason }]): GivenUp[] => {
    const slot = board.get(key)
    if (cause !== 'catch-up' || slot === undefined) return []
    if (slot.deadline !== null || slot.published_run !== null) return []
    if (slot.kind === 'features' && isReadByGivenUpScores(view, board, slot, skips)) return []
    return [{ type: 'night-given-up', slot: refOf(slot), reason: `it will not be published: ${reason}` }]
  })
  return givenUp.sort((a, b) => Date.parse(a.slot.as_of) - Date.parse(b.slot.as_of))
}

function isReadByGivenUpScores(
  view: LedgerView,
  board: Board,
  features: LedgerSlot,
  skips: Map<string, Skip>,
): boolean {
  for (const [key, { cause, slot: ref }] of skips) {
    if (cause !== 'catch-up' || ref.kind !== 'scores' || ref.partition !== features.partition) continue
    const scores = board.get(key)
    if (scores !== undefined && neededViews(view, scores).includes(features.name)) return true
  }
  return false
}

function incidentOf(
  view: LedgerView,
  board: Board,
  slot: LedgerSlot,
  skips: Map<string, Skip>,
): IncidentPlan {
  const own = { kind: slot.kind, name: slot.name }
  if (slot.kind === 'features' && isReadByLateScores(view, board, slot, skips)) return { do: 'none' }
  if (slot.state === 'held' || slot.state === 'failed') return { do: 'join', subject: own }
  const broken = viewIn(view, board, slot, ['held', 'failed'])
  if (broken !== undefined) return { do: 'join', subject: subjectOf(broken) }
  // Data that scores lack is lacked by their features: those say which, and their run can be looked at.
  const waiting = viewIn(view, board, slot, ['waiting'])
  return { do: 'open', subject: waiting === undefined ? own : subjectOf(waiting) }
}

/** True if a scores slot that needs this view's partition is late as well: one mail covers both. */
function isReadByLateScores(
  view: LedgerView,
  board: Board,
  features: LedgerSlot,
  skips: Map<string, Skip>,
): boolean {
  const now = Date.parse(view.now)
  for (const slot of board.values()) {
    if (slot.kind !== 'scores' || slot.partition !== features.partition) continue
    if (slot.deadline === null || slot.published_run !== null || slot.state === 'skipped') continue
    if (!neededViews(view, slot).includes(features.name)) continue
    if (slot.late || Date.parse(slot.deadline) <= now || skips.get(keyOf(slot))?.cause === 'catch-up')
      return true
  }
  return false
}

/** The first slot of a needed view that is in one of these states. */
function viewIn(
  view: LedgerView,
  board: Board,
  slot: LedgerSlot,
  states: LedgerSlot['state'][],
): LedgerSlot | undefined {
  return neededViews(view, slot)
    .flatMap((name) => board.get(slotKey('features', name, slot.partition)) ?? [])
    .find(({ state }) => states.includes(state))
}

function subjectOf({ kind, name }: LedgerSlot): { kind: LedgerSlot['kind']; name: string } {
  return { kind, name }
}

function explain(view: LedgerView, board: Board, slot: LedgerSlot): string {
  if (slot.state !== 'expected') return `it ${stateOf(slot)}`
  const features = viewIn(view, board, slot, ['waiting'])
  if (features !== undefined) return `it ${stateOf(features)}`
  const waiting = neededViews(view, slot).flatMap((name) => {
    const features = board.get(slotKey('features', name, slot.partition))
    if (features?.state === 'published') return []
    const state = features === undefined ? 'is not expected' : stateOf(features)
    return [`features ${name} ${slot.partition} ${state}`]
  })
  return waiting.length === 0 ? 'it has not started' : `it waits: ${waiting.join(', ')}`
}

function stateOf(slot: LedgerSlot): string {
  return slot.state === 'waiting' && slot.waits_for !== null
    ? `waits for data: ${slot.waits_for}`
    : `is ${slot.state}`
}

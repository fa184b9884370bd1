import type { RunSettings } from '../../ledger/nights/run-request.ts'
import type { Schedule } from '../../project/project.ts'
import { slotKey } from './calendar.ts'
import { dueSlots, neededViews, planSkips, skippedKeys } from './catch-up.ts'
import { planGivenUp, planLateness } from './lateness.ts'
import type { Board } from './ledger-view.ts'
import {
  type Action,
  type LedgerSlot,
  type LedgerView,
  type RunPlan,
  refOf,
  type SkipCause,
  type SlotRef,
} from './ledger-view.ts'
import { planOpenRuns } from './open-runs.ts'
import { nightsUnderWay, shadowOnlyViews } from './shadow-views.ts'
import { keyOf, planUpkeep } from './upkeep.ts'

/**
 * Plans what to do now from calendar, ledger and queue alone: pure, so that it can be computed at start, at every
 * wake-up, and by any number of schedulers at once. Planning again after acting on a plan yields nothing new.
 *
 * A scores slot starts when the partitions of its views are published. If a view's slot failed or is held, the scores
 * slot stays expected and names it: the incident belongs to the view and is also mailed to the on-call addresses of
 * its models, and once the view is published the scores follow automatically. If no version is promoted, the slot
 * fails with class `model` instead of waiting without notice; if versions score in shadow, it is skipped.
 *
 * `calendar: false` works on the slots in the ledger and creates no others.
 */
export function planReconcile(view: LedgerView, { calendar = true } = {}): Action[] {
  const board = boardOf(view)
  const upkeep = calendar ? planUpkeep(view, board) : []
  const runs = planOpenRuns(view, board)
  const skips = planSkips(view, board)
  const skipped = skippedKeys(skips)
  const candidates = [...requested(view, board), ...scheduled(view, board)]
  const starts = planStarts(view, board, candidates, new Set(skipped.keys()))
  const missed = planLateness(view, board, skipped)
  const givenUp = planGivenUp(view, board, skipped)
  return [...upkeep, ...runs, ...missed, ...givenUp, ...skips, ...starts]
}

/**
 * Plans what backfills need: their open runs, and the nights that they have asked for. Apart from the others, since there
 * may be tens of thousands, which a night that is due does not wait for.
 */
export function planBackfills(view: LedgerView): Action[] {
  const board = boardOf(view)
  const asked = [...requested(view, board)].filter(({ run }) => run.backfill !== null)
  return [...planOpenRuns(view, board), ...planStarts(view, board, asked, new Set())]
}

function boardOf(view: LedgerView): Board {
  return new Map(view.slots.map((slot) => [keyOf(slot), { ...slot }]))
}

/** Retry settings and limits of a run of this schedule: waiting for late data starts at the tick. */
function settingsOf(schedule: Schedule, due: string): RunSettings {
  const { attempts, backoff, wait_for_data } = schedule.retry
  const until = wait_for_data.ms === 0 ? null : new Date(Date.parse(due) + wait_for_data.ms).toISOString()
  return { attempts, backoff_ms: backoff.ms, timeout_ms: schedule.timeout.ms, wait_until: until }
}

/** A slot to run now, because of its schedule or a request. */
interface Candidate {
  slot: LedgerSlot
  run: RunPlan
  due: number
  reason: string
}

/** States in which a run works on a slot, or is about to. */
const AT_WORK: ReadonlySet<LedgerSlot['state']> = new Set(['waiting', 'queued', 'running', 'publishing'])

function planStarts(
  view: LedgerView,
  board: Board,
  wanted: Candidate[],
  skipped: ReadonlySet<string>,
): Action[] {
  const open = new Set([...board].flatMap(([key, { state }]) => (AT_WORK.has(state) ? [key] : [])))
  const candidates = new Map<string, Candidate>()
  for (const candidate of wanted) {
    const key = keyOf(candidate.slot)
    if (!open.has(key) && !skipped.has(key) && !candidates.has(key)) candidates.set(key, candidate)
  }
  // Oldest night first, and within a night the views before the scores computed from them.
  const ordered = [...candidates.values()].sort(
    (a, b) => a.due - b.due || (a.slot.kind === b.slot.kind ? 0 : a.slot.kind === 'features' ? -1 : 1),
  )
  const started = new Set(
    [...candidates].flatMap(([key, { slot }]) => (slot.kind === 'features' ? [key] : [])),
  )
  return ordered.flatMap((candidate) => {
    if (candidate.slot.kind === 'features') return start(candidate)
    const blocked = planViews(view, board, candidate, { open, skipped, started })
    if (blocked !== undefined) return blocked
    const { name } = candidate.slot
    if (candidate.run.version !== null || view.champions[name] !== undefined) return start(candidate)
    const inShadow = view.challengers?.[name] ?? []
    if (inShadow.length > 0 && candidate.slot.request === null) {
      const versions = `${inShadow.length === 1 ? 'version' : 'versions'} ${inShadow.join(', ')}`
      const reason = `no champion yet: ${versions} of ${name} ${inShadow.length === 1 ? 'scores' : 'score'} in shadow`
      return [skipFor(candidate.slot, 'shadow-only', reason)]
    }
    const message = `no champion: register a version of ${name} and promote it`
    return [{ type: 'fail-slot', slot: refOf(candidate.slot), class: 'model', message }]
  })
}

function* requested(view: LedgerView, board: Board): Generator<Candidate> {
  for (const slot of board.values()) {
    if (slot.request === null) continue
    const { trigger, forced, version, backfill, settings, by } = slot.request
    const run = { trigger, forced, version, backfill, settings, by }
    yield { slot, run, due: Date.parse(slot.due ?? view.now), reason: `requested by ${trigger}` }
  }
}

function* scheduled(view: LedgerView, board: Board): Generator<Candidate> {
  const now = Date.parse(view.now)
  const shadowOnly = shadowOnlyViews(view)
  const underWay = nightsUnderWay(view, board)
  for (const slot of dueSlots(view, board)) {
    const schedule = view.project.schedules[slot.schedule]
    if (schedule === undefined) continue
    const candidate = bySchedule(slot, schedule, slot.due, 'it is due')
    if (slot.kind === 'scores' || !shadowOnly.has(slot.name)) yield candidate
    else if (!underWay.has(slot.partition))
      yield {
        ...candidate,
        run: { ...candidate.run, trigger: 'shadow' },
        reason: 'versions in shadow need it',
      }
  }
  for (const slot of board.values()) {
    // Tried manually before its night and failed: the scheduled night is a new try.
    const schedule = view.project.schedules[slot.schedule ?? '']
    if (slot.state !== 'failed' || slot.due === null || schedule === undefined || schedule.paused) continue
    if (Date.parse(slot.due) > now || Date.parse(slot.changed_at) >= Date.parse(slot.due)) continue
    yield bySchedule(slot, schedule, slot.due, 'it is due; it failed before')
  }
}

function bySchedule(slot: LedgerSlot, schedule: Schedule, due: string, reason: string): Candidate {
  const settings = settingsOf(schedule, due)
  const run: RunPlan = {
    trigger: 'schedule',
    forced: false,
    version: null,
    backfill: null,
    settings,
    by: null,
  }
  return { slot, run, due: Date.parse(due), reason }
}

function start({ slot, run, reason }: Candidate): Action[] {
  return [{ type: 'start-run', slot: refOf(slot), run, reason }]
}

/** Undefined if all views of a scores slot are published; otherwise the actions, possibly none, until they are. */
function planViews(
  view: LedgerView,
  board: Board,
  candidate: Candidate,
  { open, skipped, started }: { open: Set<string>; skipped: ReadonlySet<string>; started: Set<string> },
): Action[] | undefined {
  const { slot, run } = candidate
  const waits: string[] = []
  const actions: Action[] = []
  for (const name of neededViews(view, slot)) {
    const ref: SlotRef = { ...refOf(slot), kind: 'features', name }
    const key = slotKey('features', name, slot.partition)
    const features = board.get(key)
    const title = `features ${name} ${slot.partition}`
    if (features === undefined) {
      if (!started.has(key)) actions.push(...startMissingView(candidate, ref))
      started.add(key)
      waits.push(`${title}, which is refreshed first`)
    } else if (open.has(key) || started.has(key)) {
      waits.push(
        `${title}, which is ${features.state === 'waiting' ? 'waiting for data' : 'being refreshed'}`,
      )
    } else if (slot.request !== null && isBroken(features) && !isOlder(features, slot)) {
      // The requested refresh failed: the scores wait for its repair and are not computed from the earlier features.
      waits.push(`${title}, which is ${features.state}`)
    } else if (features.published_run !== null) {
      // A failed refresh leaves the published partition unchanged, so it is still used.
    } else if (features.state === 'skipped' && slot.request === null) {
      return [skipFor(slot, 'view-skipped', `${title} was skipped: ${features.reason ?? 'no reason given'}`)]
    } else if (
      slot.request !== null &&
      (isBroken(features) || ['expected', 'skipped'].includes(features.state))
    ) {
      actions.push({
        type: 'start-run',
        slot: ref,
        run: { ...run, version: null },
        reason: `${slot.name} needs it`,
      })
      started.add(key)
      waits.push(`${title}, which is refreshed first`)
    } else {
      waits.push(`${title}, which is ${skipped.has(key) ? 'skipped' : features.state}`)
    }
  }
  if (waits.length === 0) return undefined
  const reason = `waits for ${waits.join(', and ')}`
  if (reason !== slot.reason) actions.push({ type: 'note-slot', slot: refOf(slot), reason })
  return actions
}

/** The slot of a view that the calendar did not know to be needed, such as that of a version promoted today. */
function startMissingView({ slot, run }: Candidate, ref: SlotRef): Action[] {
  return [
    {
      type: 'start-run',
      slot: ref,
      run: { ...run, version: null },
      reason: `${slot.name} needs it and it has no slot yet`,
    },
  ]
}

function isBroken(slot: LedgerSlot): boolean {
  return slot.state === 'failed' || slot.state === 'held'
}

function isOlder(slot: LedgerSlot, than: LedgerSlot): boolean {
  return Date.parse(slot.changed_at) < Date.parse(than.changed_at)
}

function skipFor(slot: LedgerSlot, cause: SkipCause, reason: string): Action {
  return { type: 'skip-slot', slot: refOf(slot), cause, reason }
}

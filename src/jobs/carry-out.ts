import type { ClientBase } from 'pg'
import { transaction } from '../ledger/connection/database.ts'
import { ensureSlot } from '../ledger/nights/ensure-slot.ts'
import { findRun, openRunOf } from '../ledger/nights/run-records.ts'
import { createRun, wakeRun } from '../ledger/nights/run-transitions.ts'
import { forgetSchedule, seeSchedule } from '../ledger/nights/seen-schedules.ts'
import { explainSlot, markLate, rescheduleSlot } from '../ledger/nights/slot-facts.ts'
import { expectSlots, failUnrun, forgetSlot, skipSlot } from '../ledger/nights/slot-transitions.ts'
import { findSlot, lockSlotNamed, type Slot } from '../ledger/nights/slots.ts'
import { parseAsOf } from '../project/time/asof.ts'
import type { PlannedSlot } from './planning/calendar.ts'
import type { Action, SlotRef } from './planning/ledger-view.ts'
import { enqueueAttempt } from './queue/enqueue-attempt.ts'
import { enqueueShards } from './queue/enqueue-shards.ts'
import type { Reconciler } from './reconciler.ts'

/**
 * Carries out one action of a plan, under its slot's lock and only if the slot is unchanged since the plan was made.
 */
export async function act(reconciler: Reconciler, action: Action): Promise<void> {
  const { database, log, effects } = reconciler
  switch (action.type) {
    case 'create-slots':
      await createSlots(reconciler, action.slots)
      return
    case 'move-slot':
      await onSlot(reconciler, action.slot, ['expected', 'failed'], (client, slot) =>
        rescheduleSlot(client, slot.id, {
          schedule: action.schedule,
          due: action.due,
          deadline: action.deadline ?? null,
          as_of: action.slot.as_of,
        }),
      )
      return
    case 'remove-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        if (slot.run === null) await forgetSlot(client, slot.id)
      })
      return
    case 'see-schedule':
      await seeSchedule(database.pool, action.schedule, {
        firstSeen: action.first_seen,
        definition: action.definition,
        at: action.at,
      })
      return
    case 'forget-schedule':
      await forgetSchedule(database.pool, action.schedule)
      return
    case 'finish-publishing':
      if (action.run !== null) await effects.finishPublication(action.run)
      return
    case 'attempt-lost': {
      const run = await findRun(database.pool, action.run)
      if (run?.state !== 'running' || run.attempt !== action.attempt) return
      log.warn({ run: run.id, attempt: action.attempt }, action.reason)
      await effects.attemptLost(run, action.attempt)
      return
    }
    case 'enqueue-attempt':
      await enqueueDue(reconciler, action.run, action.attempt)
      return
    case 'enqueue-shards': {
      const run = await findRun(database.pool, action.run)
      if (run?.state !== 'running' || run.attempt !== action.attempt) return
      await enqueueShards(reconciler.queues, run, action.attempt, action)
      return
    }
    case 'start-run':
      await startRun(reconciler, action)
      return
    case 'deadline-missed':
      await onSlot(reconciler, action.slot, undefined, async (client, slot) => {
        if (slot.late || slot.state === 'published' || slot.state === 'skipped') return
        await markLate(client, slot.id)
        if (action.incident.do === 'none') return
        // A missed deadline is reported with its underlying failure, for example that of the view.
        const { kind, name } = action.incident.subject
        const behind = await findSlot(client, kind, name, action.slot.partition)
        await effects.deadlineMissed(client, behind ?? slot, action.reason)
      })
      return
    case 'night-given-up':
      await onSlot(reconciler, action.slot, ['expected'], (client, slot) =>
        effects.nightGivenUp(client, slot, action.reason),
      )
      return
    case 'skip-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        await skipSlot(client, slot.id, action.reason)
        await effects.slotSkipped(client, slot, action.reason)
      })
      return
    case 'fail-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        await failUnrun(client, slot.id, action.message)
        await effects.slotFailed(client, slot, action.class, action.message)
      })
      return
    case 'note-slot':
      await onSlot(reconciler, action.slot, ['expected'], (client, slot) =>
        explainSlot(client, slot.id, action.reason),
      )
      return
    default:
      return unknown(action)
  }
}

async function createSlots({ database, log }: Reconciler, slots: PlannedSlot[]): Promise<void> {
  const expected = slots.map(({ asOf, ...slot }) => ({ ...slot, as_of: asOf.instant, partition: asOf.label }))
  const created = await expectSlots(database.pool, expected)
  if (created > 0) log.info({ slots: created }, 'the calendar expects new slots')
}

/** States in which nothing works on a slot, so that a planned run may start. */
const AT_REST: ReadonlySet<Slot['state']> = new Set(['expected', 'failed', 'held', 'skipped'])

async function startRun(
  reconciler: Reconciler,
  action: Extract<Action, { type: 'start-run' }>,
): Promise<void> {
  const { slot: ref } = action
  const run = await transaction(reconciler.database, async (client) => {
    if (!(await isStillRunning(client, action.run.backfill))) return undefined
    // The label names the night; its instant follows from the project's current zone. A recomputation of a published
    // night was requested explicitly.
    const asOf = parseAsOf(ref.partition, reconciler.project().timezone)
    const slot = await ensureSlot(client, ref.kind, ref.name, asOf, { anew: true })
    if (!AT_REST.has(slot.state) || (await openRunOf(client, slot.id)) !== undefined) return undefined
    return findRun(client, await createRun(client, slot, action.run))
  })
  // An unavailable queue is handled by the next round: the run is in the ledger, but its job is not in the queue.
  if (run !== undefined) await enqueueAttempt(reconciler.queues, run, 1)
}

/** A backfill that was paused or cancelled since the plan was made starts nothing. Locked before any slot. */
async function isStillRunning(client: ClientBase, backfill: number | null): Promise<boolean> {
  if (backfill === null) return true
  const { rows } = await client.query<{ state: string }>(
    'select state from nightshift.backfills where id = $1 for share',
    [backfill],
  )
  // A backfill that is done may have nights that waited for a view to be fixed.
  return rows[0]?.state === 'running' || rows[0]?.state === 'done'
}

async function enqueueDue({ database, queues }: Reconciler, id: string, attempt: number): Promise<void> {
  const run = await findRun(database.pool, id)
  if (run === undefined) return
  if (run.state === 'waiting') {
    await wakeRun(database.pool, id)
  } else if (run.state !== 'queued') return
  if (run.attempt === attempt - 1) await enqueueAttempt(queues, run, attempt)
}

/** Locks the slot and runs `change` if it is in one of these states; undefined otherwise, or if it no longer exists. */
async function onSlot<T>(
  { database }: Reconciler,
  ref: SlotRef,
  states: Slot['state'][] | undefined,
  change: (client: ClientBase, slot: Slot) => Promise<T>,
): Promise<T | undefined> {
  return transaction(database, async (client) => {
    const slot = await lockSlotNamed(client, ref)
    if (slot === undefined || (states !== undefined && !states.includes(slot.state))) return undefined
    return change(client, slot)
  })
}

function unknown(action: never): never {
  throw new Error(`expected an action of the planner, got: ${JSON.stringify(action)}`)
}

import type { ClientBase } from 'pg'
import { transaction } from '../ledger/connection/database.ts'
import { createRun, findRun, openRunOf, type Run } from '../ledger/nights/run-records.ts'
import { ensureSlot, findSlot, type Slot, type SlotRow, toSlot } from '../ledger/nights/slots.ts'
import type { FailureClass } from '../pipeline/engine/failure.ts'
import { parseAsOf } from '../project/time/asof.ts'
import type { PlannedSlot } from './planning/calendar.ts'
import type { Action, SlotRef } from './planning/ledger-view.ts'
import { enqueueAttempt } from './queue/enqueue-attempt.ts'
import type { Reconciler } from './reconciler.ts'

/** What the planner's actions need from those who run the work and those who tell people. */
export interface Effects {
  /** Records that an attempt's worker is gone, as a transient failure. */
  attemptLost(run: Run, attempt: number): Promise<void>
  /** Moves the file of a run that was left in `publishing` into place. */
  finishPublication(run: string): Promise<void>
  /** Tells people, in the transaction that changes the slot. */
  deadlineMissed(client: ClientBase, slot: Slot, message: string): Promise<void>
  slotFailed(client: ClientBase, slot: Slot, failureClass: FailureClass, message: string): Promise<void>
  slotSkipped(client: ClientBase, slot: Slot): Promise<void>
}

/** Does one action of a plan, under its slot's lock and only where the slot is still as the plan saw it. */
export async function act(reconciler: Reconciler, action: Action): Promise<void> {
  const { database, log, effects } = reconciler
  switch (action.type) {
    case 'create-slots':
      await createSlots(reconciler, action.slots)
      return
    case 'move-slot':
      await onSlot(reconciler, action.slot, ['expected', 'failed'], (client, slot) =>
        client.query(
          `update nightshift.slots set schedule = $2, due = $3, deadline = $4,
                  as_of = case when published_run is null then $5 else as_of end
            where id = $1`,
          [slot.id, action.schedule, action.due, action.deadline ?? null, action.slot.as_of],
        ),
      )
      return
    case 'remove-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        if (slot.run === null) await client.query('delete from nightshift.slots where id = $1', [slot.id])
      })
      return
    case 'see-schedule':
      await database.pool.query(
        `insert into nightshift.schedules (name, first_seen_at, definition, seen_at) values ($1, $2, $3, $4)
         on conflict (name) do update set definition = $3, seen_at = greatest(nightshift.schedules.seen_at, $4)`,
        [action.schedule, action.first_seen, JSON.stringify(action.definition), action.at],
      )
      return
    case 'forget-schedule':
      await database.pool.query('delete from nightshift.schedules where name = $1', [action.schedule])
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
    case 'start-run':
      await startRun(reconciler, action)
      return
    case 'deadline-missed':
      await onSlot(reconciler, action.slot, undefined, async (client, slot) => {
        if (slot.late || slot.state === 'published' || slot.state === 'skipped') return
        await client.query('update nightshift.slots set late = true where id = $1', [slot.id])
        if (action.incident.do === 'none') return
        // A missed deadline is told where the failure behind it is: that of the view, say.
        const { kind, name } = action.incident.subject
        const behind = await findSlot(client, kind, name, action.slot.partition)
        await effects.deadlineMissed(client, behind ?? slot, action.reason)
      })
      return
    case 'skip-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        await setState(client, slot, 'skipped', action.reason)
        await effects.slotSkipped(client, slot)
      })
      return
    case 'fail-slot':
      await onSlot(reconciler, action.slot, ['expected'], async (client, slot) => {
        await setState(client, slot, 'failed', action.message)
        await effects.slotFailed(client, slot, action.class, action.message)
      })
      return
    case 'note-slot':
      await onSlot(reconciler, action.slot, ['expected'], (client, slot) =>
        client.query('update nightshift.slots set reason = $2 where id = $1', [slot.id, action.reason]),
      )
      return
    default:
      return unknown(action)
  }
}

async function createSlots({ database, log }: Reconciler, slots: PlannedSlot[]): Promise<void> {
  const { rowCount } = await database.pool.query(
    `insert into nightshift.slots (kind, name, as_of, partition, schedule, due, deadline, changed_at)
     select s.*, now() from jsonb_to_recordset($1) as s(kind text, name text, as_of timestamptz, partition text,
                                               schedule text, due timestamptz, deadline timestamptz)
     on conflict (kind, name, partition) do nothing`,
    [
      JSON.stringify(
        slots.map(({ asOf, ...slot }) => ({ ...slot, as_of: asOf.instant, partition: asOf.label })),
      ),
    ],
  )
  if (rowCount !== null && rowCount > 0) log.info({ slots: rowCount }, 'the calendar expects new slots')
}

/** States in which nothing works on a slot and a planned run may. */
const AT_REST: ReadonlySet<Slot['state']> = new Set(['expected', 'failed', 'held', 'skipped'])

async function startRun(
  reconciler: Reconciler,
  action: Extract<Action, { type: 'start-run' }>,
): Promise<void> {
  const { slot: ref } = action
  const run = await transaction(reconciler.database, async (client) => {
    if (!(await isStillWanted(client, action.run.backfill))) return undefined
    // The label says which night; what it means is the project's zone of now. Whoever asked has said that it be anew.
    const asOf = parseAsOf(ref.partition, reconciler.project().timezone)
    const slot = await ensureSlot(client, ref.kind, ref.name, asOf, { anew: true })
    if (!AT_REST.has(slot.state) || (await openRunOf(client, slot.id)) !== undefined) return undefined
    return findRun(client, await createRun(client, slot, action.run))
  })
  // A queue that is away is found by the next round: the run is in the ledger and its job is not in the queue.
  if (run !== undefined) await enqueueAttempt(reconciler.queues, run, 1)
}

/** A backfill that was paused or cancelled since the plan was made starts nothing. Locked before any slot. */
async function isStillWanted(client: ClientBase, backfill: number | null): Promise<boolean> {
  if (backfill === null) return true
  const { rows } = await client.query<{ state: string }>(
    'select state from nightshift.backfills where id = $1 for share',
    [backfill],
  )
  // One that is done may have nights that waited for a view to be mended.
  return rows[0]?.state === 'running' || rows[0]?.state === 'done'
}

async function enqueueDue({ database, queues }: Reconciler, id: string, attempt: number): Promise<void> {
  const run = await findRun(database.pool, id)
  if (run === undefined) return
  if (run.state === 'waiting') {
    await database.pool.query(
      `with woken as (
         update nightshift.runs set state = 'queued' where id = $1 and state = 'waiting' returning slot
       )
       update nightshift.slots set state = 'queued', changed_at = now() from woken where id = woken.slot`,
      [id],
    )
  } else if (run.state !== 'queued') return
  if (run.attempt === attempt - 1) await enqueueAttempt(queues, run, attempt)
}

/** Locks the slot and does `change` where it is in one of these states; undefined where it is not, or is gone. */
async function onSlot<T>(
  { database }: Reconciler,
  ref: SlotRef,
  states: Slot['state'][] | undefined,
  change: (client: ClientBase, slot: Slot) => Promise<T>,
): Promise<T | undefined> {
  return transaction(database, async (client) => {
    const { rows } = await client.query<SlotRow>(
      'select * from nightshift.slots where kind = $1 and name = $2 and partition = $3 for update',
      [ref.kind, ref.name, ref.partition],
    )
    const slot = rows[0] && toSlot(rows[0])
    if (slot === undefined || (states !== undefined && !states.includes(slot.state))) return undefined
    return change(client, slot)
  })
}

async function setState(client: ClientBase, slot: Slot, state: Slot['state'], reason: string): Promise<void> {
  await client.query(
    `update nightshift.slots set state = $2, reason = $3, request = null, changed_at = now() where id = $1`,
    [slot.id, state, reason],
  )
}

function unknown(action: never): never {
  throw new Error(`expected an action of the planner, got: ${JSON.stringify(action)}`)
}

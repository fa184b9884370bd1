import type { ClientBase } from 'pg'
import { moveSlot } from './move-state.ts'
import type { SlotRequest } from './run-request.ts'
import type { Connection, Slot } from './slots.ts'
import { TRANSITIONS } from './transition-table.ts'

/**
 * The only place where a slot's state changes while no attempt works on it: one function for each row of
 * transition-table.ts. The caller holds the slot's lock and passes facts. An unexpected state throws, and nothing is
 * written.
 */

/** An as-of that a slot must exist for. Times are ISO 8601. */
export interface ExpectedSlot extends Pick<Slot, 'kind' | 'name' | 'as_of' | 'partition'> {
  schedule?: string
  due?: string
  deadline?: string | undefined
}

/** Creates the slots that do not exist yet. Needs no lock. @returns how many */
export async function expectSlots(connection: Connection, slots: ExpectedSlot[]): Promise<number> {
  const { rowCount } = await connection.query(
    `insert into nightshift.slots (kind, name, as_of, partition, schedule, due, deadline, state, changed_at)
     select s.*, $2, now() from jsonb_to_recordset($1) as s(kind text, name text, as_of timestamptz, partition text,
                                                   schedule text, due timestamptz, deadline timestamptz)
     on conflict (kind, name, partition) do nothing`,
    [JSON.stringify(slots), TRANSITIONS.expect.slot.to],
  )
  return rowCount ?? 0
}

/** Removes a slot that is no longer expected; a slot with runs remains. */
export async function forgetSlot(client: ClientBase, slot: number): Promise<void> {
  await client.query(
    `delete from nightshift.slots s
      where id = $1 and state = any($2) and not exists (select from nightshift.runs r where r.slot = s.id)`,
    [slot, TRANSITIONS.forget.slot.from],
  )
}

/** Writes a request into a slot that no run is working on. */
export async function requestSlot(client: ClientBase, slot: number, request: SlotRequest): Promise<void> {
  await moveSlot(
    client,
    TRANSITIONS.request.slot,
    slot,
    'request = $4, due = coalesce(due, now()), reason = null',
    [JSON.stringify(request)],
  )
}

/** A due slot of which no run can be created. */
export async function failUnrun(client: ClientBase, slot: number, reason: string): Promise<void> {
  await moveSlot(client, TRANSITIONS['fail unrun'].slot, slot, 'reason = $4, request = null', [reason])
}

/** Gives up a slot; a run that no worker has taken is cancelled. */
export async function skipSlot(client: ClientBase, slot: number, reason: string): Promise<void> {
  const { run } = TRANSITIONS.skip
  await client.query(
    `update nightshift.runs set state = $2, reason = $4, ended_at = now() where slot = $1 and state = any($3)`,
    [slot, run.to, run.from, reason],
  )
  await moveSlot(client, TRANSITIONS.skip.slot, slot, 'reason = $4, request = null', [reason])
}

/** A night that readers are to find no more; its run remains on record. */
export async function unpublishSlot(client: ClientBase, slot: number, reason: string): Promise<void> {
  await moveSlot(
    client,
    TRANSITIONS.unpublish.slot,
    slot,
    'published_run = null, published_at = null, published_file = null, reason = $4, request = null',
    [reason],
  )
}

/** A night whose file is lost is requested again; past its deadline it is late. */
export async function reopenSlot(
  client: ClientBase,
  slot: number,
  request: SlotRequest,
  reason: string,
): Promise<void> {
  await moveSlot(
    client,
    TRANSITIONS.reopen.slot,
    slot,
    `published_run = null, published_at = null, published_file = null, reason = $4, request = $5,
     late = late or (deadline <= now()) is true, due = coalesce(due, now())`,
    [reason, JSON.stringify(request)],
  )
}

/** The slot before a backfill requested it; null if there was none. */
export type FormerSlot = Pick<Slot, 'state' | 'reason' | 'due' | 'run'> | null

export function formerOf(slot: Slot | undefined): FormerSlot {
  return slot === undefined ? null : { state: slot.state, reason: slot.reason, due: slot.due, run: slot.run }
}

/** Removes the slot's run if it belongs to this backfill and has no attempts. @returns whether there was one */
export async function withdrawRun(client: ClientBase, { run }: Slot, backfill: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `delete from nightshift.runs where id = $1 and backfill = $2 and attempt = 0 and state = any($3)`,
    [run, backfill, TRANSITIONS.withdraw.run.from],
  )
  return rowCount === 1
}

/** Restores the slot to its state before it was requested; a slot created for the request is removed. */
export async function withdrawSlot(client: ClientBase, slot: number, was: FormerSlot): Promise<void> {
  if (was === null) {
    await client.query(
      'delete from nightshift.slots s where id = $1 and not exists (select from nightshift.runs r where r.slot = s.id)',
      [slot],
    )
    return
  }
  await moveSlot(
    client,
    { ...TRANSITIONS.withdraw.slot, to: was.state },
    slot,
    'reason = $4, due = $5, run = $6, request = null',
    [was.reason, was.due, was.run],
  )
}

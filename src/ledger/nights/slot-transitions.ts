import type { ClientBase } from 'pg'
import { moveSlot } from './move-state.ts'
import type { SlotRequest } from './run-request.ts'
import type { Connection, Slot } from './slots.ts'
import { TRANSITIONS } from './transition-table.ts'

/**
 * The one place where a slot's state changes while no attempt works on it. A function for each row of transition-table.ts; the caller holds the slot's lock, and
 * passes facts. A state that the table does not expect throws, and nothing is written.
 */

/** An as-of that a slot is to exist for. Times ISO 8601. */
export interface ExpectedSlot extends Pick<Slot, 'kind' | 'name' | 'as_of' | 'partition'> {
  schedule?: string
  due?: string
  deadline?: string | undefined
}

/** Makes the slots that do not exist yet. Needs no lock. @returns how many */
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

/** Removes a slot that nobody expects any more; one that a run was made of stays. */
export async function forgetSlot(client: ClientBase, slot: number): Promise<void> {
  await client.query(
    `delete from nightshift.slots s
      where id = $1 and state = any($2) and not exists (select from nightshift.runs r where r.slot = s.id)`,
    [slot, TRANSITIONS.forget.slot.from],
  )
}

/** Writes a request into a slot that no run works on. */
export async function requestSlot(client: ClientBase, slot: number, request: SlotRequest): Promise<void> {
  await moveSlot(
    client,
    TRANSITIONS.request.slot,
    slot,
    'request = $4, due = coalesce(due, now()), reason = null',
    [JSON.stringify(request)],
  )
}

/** No run can be made of a slot that is due. */
export async function failUnrun(client: ClientBase, slot: number, reason: string): Promise<void> {
  await moveSlot(client, TRANSITIONS['fail unrun'].slot, slot, 'reason = $4, request = null', [reason])
}

/** Gives a slot up; a run that no worker has taken is cancelled. */
export async function skipSlot(client: ClientBase, slot: number, reason: string): Promise<void> {
  const { run } = TRANSITIONS.skip
  await client.query(
    `update nightshift.runs set state = $2, reason = $4, ended_at = now() where slot = $1 and state = any($3)`,
    [slot, run.to, run.from, reason],
  )
  await moveSlot(client, TRANSITIONS.skip.slot, slot, 'reason = $4, request = null', [reason])
}

/** A night of which no file is left is asked for again; past its deadline it is late. */
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

/** What a slot was before a backfill asked for it; null where there was none. */
export type FormerSlot = Pick<Slot, 'state' | 'reason' | 'due' | 'run'> | null

export function formerOf(slot: Slot | undefined): FormerSlot {
  return slot === undefined ? null : { state: slot.state, reason: slot.reason, due: slot.due, run: slot.run }
}

/** Removes the slot's run where it is of this backfill and no attempt was made of it. @returns whether there was one */
export async function withdrawRun(client: ClientBase, { run }: Slot, backfill: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `delete from nightshift.runs where id = $1 and backfill = $2 and attempt = 0 and state = any($3)`,
    [run, backfill, TRANSITIONS.withdraw.run.from],
  )
  return rowCount === 1
}

/** The slot is again what it was before it was asked for; one that was made for the asking is removed. */
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

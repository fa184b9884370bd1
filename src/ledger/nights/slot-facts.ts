import type { ClientBase } from 'pg'
import type { Connection, Slot } from './slots.ts'

/** The facts that the ledger stores about a slot in addition to its state. */

export async function moveInstant(client: ClientBase, slot: number, asOf: string): Promise<void> {
  await client.query('update nightshift.slots set as_of = $2 where id = $1', [slot, asOf])
}

/** Moves the slot to another time or schedule; a published slot keeps its instant. */
export async function rescheduleSlot(
  client: ClientBase,
  slot: number,
  { schedule, due, deadline, as_of }: Pick<Slot, 'schedule' | 'due' | 'deadline' | 'as_of'>,
): Promise<void> {
  await client.query(
    `update nightshift.slots set schedule = $2, due = $3, deadline = $4,
            as_of = case when published_run is null then $5 else as_of end
      where id = $1`,
    [slot, schedule, due, deadline, as_of],
  )
}

/** Records that its missed deadline was reported. */
export async function markLate(client: ClientBase, slot: number): Promise<void> {
  await client.query('update nightshift.slots set late = true where id = $1', [slot])
}

/** Records the reason for its current state. */
export async function explainSlot(client: ClientBase, slot: number, reason: string): Promise<void> {
  await client.query('update nightshift.slots set reason = $2 where id = $1', [slot, reason])
}

/** Like `explainSlot`, if this run is still published. Needs no lock. */
export async function explainPublished(
  connection: Connection,
  slot: number,
  run: string,
  reason: string,
): Promise<void> {
  await connection.query('update nightshift.slots set reason = $3 where id = $1 and published_run = $2', [
    slot,
    run,
    reason,
  ])
}

/** Records that the file matched the published one. `reason`: what was done to it; absent: nothing. */
export async function stampFile(
  client: ClientBase,
  slot: number,
  stamp: string | null,
  reason?: string,
): Promise<void> {
  await client.query(
    `update nightshift.slots
        set published_file = $2, reason = coalesce($3, reason), changed_at = case when $3::text is null then changed_at else now() end
      where id = $1`,
    [slot, stamp, reason ?? null],
  )
}

/** The published file no longer exists, and a later run is active. Past its deadline the slot is late. */
export async function losePublished(client: ClientBase, slot: number, reason: string): Promise<void> {
  await client.query(
    `update nightshift.slots
        set published_run = null, published_at = null, published_file = null, reason = $2, changed_at = now(),
            late = late or (deadline <= now()) is true
      where id = $1`,
    [slot, reason],
  )
}

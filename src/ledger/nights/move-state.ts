import type { ClientBase } from 'pg'
import type { RunState } from './run-records.ts'
import type { SlotState } from './slots.ts'
import type { Change } from './transition-table.ts'

/**
 * Changes a slot's state according to a row of transition-table.ts. `also` sets further columns; its values start at
 * $4. Throws if the slot is in a state that the row does not expect.
 */
export async function moveSlot(
  client: ClientBase,
  change: Change<SlotState>,
  slot: number,
  also?: string,
  values: unknown[] = [],
): Promise<void> {
  const { rowCount } = await client.query(
    `update nightshift.slots set state = $2, changed_at = now()${also === undefined ? '' : `, ${also}`}
      where id = $1 and state = any($3)`,
    [slot, change.to, change.from, ...values],
  )
  if (rowCount !== 1) throw await unexpected(client, 'slots', slot, change)
}

/** The same for a run. */
export async function moveRun(
  client: ClientBase,
  change: Change<RunState>,
  run: string,
  also?: string,
  values: unknown[] = [],
): Promise<void> {
  const { rowCount } = await client.query(
    `update nightshift.runs set state = $2${also === undefined ? '' : `, ${also}`} where id = $1 and state = any($3)`,
    [run, change.to, change.from, ...values],
  )
  if (rowCount !== 1) throw await unexpected(client, 'runs', run, change)
}

/** A state that a transition does not expect: a bug. */
export async function unexpected(
  client: ClientBase,
  table: 'slots' | 'runs',
  id: number | string,
  { from, to }: Change<SlotState> | Change<RunState>,
): Promise<Error> {
  const { rows } = await client.query<{ state: string }>(
    `select state from nightshift.${table} where id = $1`,
    [id],
  )
  return new Error(
    `${table === 'slots' ? 'slot' : 'run'} ${id}: expected it to be ${from.join(' or ')} before it is ${to}, got: ${rows[0]?.state ?? 'no row in the ledger'}`,
  )
}

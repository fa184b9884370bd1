import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { announceRequest } from '../../ledger/connection/notifications.ts'
import { slotOfRun } from '../../ledger/nights/runs-of-slot.ts'
import { type FormerSlot, withdrawRun, withdrawSlot } from '../../ledger/nights/slot-transitions.ts'
import { lockSlot, type Slot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type Backfill, findBackfill, listBackfills } from './backfill-records.ts'

/**
 * Pauses a backfill: no new nights start, running nights finish, and queued nights are returned to their former
 * state.
 */
export function pauseBackfill(database: Database, id: number, by: string | null = null): Promise<Backfill> {
  return change(database, id, { to: 'paused', from: ['running', 'paused'], by })
}

/** Continues a paused backfill. */
export function resumeBackfill(database: Database, id: number, by: string | null = null): Promise<Backfill> {
  return change(database, id, { to: 'running', from: ['running', 'paused'], by })
}

/** Like `pauseBackfill`, but ends the backfill: nights not started are unchanged. */
export function cancelBackfill(database: Database, id: number, by: string | null = null): Promise<Backfill> {
  return change(database, id, { to: 'cancelled', from: ['running', 'paused', 'cancelled'], by })
}

/** Throws a ConfigurationError if the backfill does not exist or has ended. */
async function change(
  database: Database,
  id: number,
  { to, from, by }: { to: 'running' | 'paused' | 'cancelled'; from: Backfill['state'][]; by: string | null },
): Promise<Backfill> {
  return transaction(database, async (client) => {
    // Before any slot: starting a night takes its locks in the same order.
    await client.query('select from nightshift.backfills where id = $1 for update', [id])
    const backfill = await findBackfill(client, id)
    if (backfill === undefined) throw await unknown(client, id)
    if (!from.includes(backfill.state)) {
      throw new ConfigurationError(
        `backfill ${id} is ${backfill.state}: expected a backfill that is ${from.filter((state) => state !== to).join(' or ')}`,
      )
    }
    if (backfill.state !== to) {
      await client.query(
        `update nightshift.backfills
            set state = $2, ended_at = case when $2 = 'cancelled' then now() end, changed_by = $3, changed_at = now()
          where id = $1`,
        [id, to, by],
      )
    }
    if (to === 'running') await announceRequest(client)
    else await withdraw(client, id, { ended: to === 'cancelled' })
    return { ...backfill, state: to }
  })
}

async function unknown(client: ClientBase, id: number): Promise<ConfigurationError> {
  const known = (await listBackfills(client)).map((each) => each.id)
  return new ConfigurationError(
    `expected the number of a backfill (${known.slice(0, 10).join(', ') || 'there is none'}), got: ${id}`,
  )
}

interface AskedNight {
  position: number
  slot: number
  was: FormerSlot
  refresh_run: string | null
  refresh_was: FormerSlot
}

/**
 * Returns every requested night that no worker has started. Its job, if any, finds nothing to do. With `ended` also
 * the nights that wait for a view to be fixed.
 */
async function withdraw(client: ClientBase, id: number, { ended }: { ended: boolean }): Promise<void> {
  const { rows } = await client.query<AskedNight>(
    `select position, slot, was, refresh_run, refresh_was from nightshift.backfill_nights
      where backfill = $1 and slot is not null and (outcome is null or $2) order by position`,
    [id, ended],
  )
  for (const night of rows) {
    const slot = await lockSlot(client, night.slot)
    const requested = slot.request?.backfill === id
    const idle = requested || (await withdrawRun(client, slot, id))
    if (!idle) continue
    await withdrawSlot(client, slot.id, night.was)
    const features = await featuresOf(client, night.refresh_run)
    if (features !== undefined && (await withdrawRun(client, features, id))) {
      await withdrawSlot(client, features.id, night.refresh_was)
    }
    await client.query(
      `update nightshift.backfill_nights set slot = null, was = null, refresh_run = null, refresh_was = null
        where backfill = $1 and position = $2`,
      [id, night.position],
    )
  }
}

async function featuresOf(client: ClientBase, run: string | null): Promise<Slot | undefined> {
  const found = run === null ? undefined : await slotOfRun(client, run)
  return found && lockSlot(client, found.id)
}

import { type Database, transaction } from '../ledger/connection/database.ts'
import { openRunOf } from '../ledger/nights/run-records.ts'
import { skipSlot } from '../ledger/nights/slot-transitions.ts'
import { lockSlot, type Slot } from '../ledger/nights/slots.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { notifyRecovery } from '../workers/attempt/report-night.ts'
import type { Context } from '../workers/context.ts'

/**
 * Gives up a slot on a person's decision and clears its incident. Throws a ConfigurationError if the slot is running
 * or published.
 */
export async function skip(
  context: { database: Database } & Pick<Context, 'project' | 'clock'>,
  { id, name, partition }: Pick<Slot, 'id' | 'name' | 'partition'>,
  { reason, by }: { reason: string; by: string | null },
): Promise<void> {
  const text = `${name}:${partition}`
  const recorded = by === null ? reason : `${reason} (${by})`
  await transaction(context.database, async (client) => {
    const slot = await lockSlot(client, id)
    const open = await openRunOf(client, slot.id)
    if (open?.state === 'running' || open?.state === 'publishing') {
      throw new ConfigurationError(
        `skip: run ${open.id} of ${text} is ${open.state}: wait until it has ended`,
      )
    }
    if (slot.state === 'published')
      throw new ConfigurationError(`skip: ${text} is published; there is nothing to skip`)
    await skipSlot(client, slot.id, recorded)
    await notifyRecovery(client, context, slot, 'skipped', { by, reason })
  })
}

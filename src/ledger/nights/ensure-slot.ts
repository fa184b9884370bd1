import type { ClientBase } from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { moveInstant } from './slot-facts.ts'
import { expectSlots } from './slot-transitions.ts'
import { type Kind, lockSlotNamed, type Slot, slotTitle } from './slots.ts'
import { isAtRest } from './transition-table.ts'

/**
 * Makes sure that a slot exists and returns it, locked until the transaction ends. Its label names it, as it names its
 * path; see `settleInstant` for a label that means another instant than the ledger has.
 */
export async function ensureSlot(
  client: ClientBase,
  kind: Kind,
  name: string,
  asOf: Pick<AsOf, 'instant' | 'label'>,
  how?: { anew: boolean },
): Promise<Slot> {
  await expectSlots(client, [{ kind, name, as_of: asOf.instant, partition: asOf.label }])
  const slot = await lockSlotNamed(client, { kind, name, partition: asOf.label })
  if (slot === undefined) throw new Error(`slot ${kind} ${name} ${asOf.label} vanished while it was created`)
  return settleInstant(client, slot, asOf, how)
}

/**
 * Gives a slot the instant that its label has in the project's zone of today. A zone that has changed moves a slot of
 * which nothing is published; one that is published only where it is computed `anew`. Throws a ConfigurationError
 * otherwise. The caller holds the slot's lock.
 */
export async function settleInstant(
  client: ClientBase,
  slot: Slot,
  { instant }: Pick<AsOf, 'instant'>,
  { anew }: { anew: boolean } = { anew: false },
): Promise<Slot> {
  if (Date.parse(slot.as_of) === Date.parse(instant)) return slot
  // A run that is under way ends as what it was made for: `resolve` refuses it where that is another instant.
  if (!isAtRest(slot.state)) return slot
  if (slot.published_run !== null && !anew) {
    const command = slot.kind === 'scores' ? 'run' : 'refresh'
    throw new ConfigurationError(
      `${slotTitle(slot)}: its label meant ${slot.as_of} when it was last run, and means ${instant} in the timezone that nightshift.yaml has now; what is published stays as it is. Restore the timezone, or compute it anew: nightshift ${command} ${slot.name} --as-of ${slot.partition} --force`,
    )
  }
  await moveInstant(client, slot.id, instant)
  return { ...slot, as_of: new Date(instant).toISOString() }
}

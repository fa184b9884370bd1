import type { ClientBase } from 'pg'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { moveInstant } from './slot-facts.ts'
import { expectSlots } from './slot-transitions.ts'
import { type Kind, lockSlotNamed, type Slot, slotTitle } from './slots.ts'
import { isAtRest } from './transition-table.ts'

/**
 * Creates a slot if it does not exist and returns it, locked until the transaction ends. Its label identifies it, as
 * in its path; for a label that means a different instant than in the ledger see `settleInstant`.
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
 * Sets a slot's instant to the meaning of its label in the project's current zone. After a change of zone, a slot
 * without published output is moved; a published slot only if it is computed `anew`. Throws a ConfigurationError
 * otherwise. The caller holds the slot's lock.
 */
export async function settleInstant(
  client: ClientBase,
  slot: Slot,
  { instant }: Pick<AsOf, 'instant'>,
  { anew }: { anew: boolean } = { anew: false },
): Promise<Slot> {
  if (Date.parse(slot.as_of) === Date.parse(instant)) return slot
  // An active run ends with the instant it was created for: `resolve` refuses it if the instant has changed.
  if (!isAtRest(slot.state)) return slot
  if (slot.published_run !== null && !anew) {
    const command = slot.kind === 'scores' ? 'run' : 'refresh'
    throw new ConfigurationError(
      `${slotTitle(slot)}: its label meant ${slot.as_of} when it was last run, but means ${instant} in the current timezone of nightshift.yaml; the published output is unchanged. Restore the timezone, or recompute it: nightshift ${command} ${slot.name} --as-of ${slot.partition} --force`,
    )
  }
  await moveInstant(client, slot.id, instant)
  return { ...slot, as_of: new Date(instant).toISOString() }
}

import { type PublishedSlot, publishedSlots } from '../ledger/nights/published.ts'
import { explainPublished } from '../ledger/nights/slot-facts.ts'
import { stampOf } from '../pipeline/partition/published-file.ts'
import { partitionOf } from './attempt/publication.ts'
import { type Repairer, repairPublished } from './repair-published.ts'

/** So many files are looked at in a round beside the newest of each view and model: some 5 ms. */
const LOOKS = 100
/** Of those whose stamp is another than the ledger's, so many are read in a round. */
const READS = 5
/** What could not be put right, such as a path that nobody may write to, is tried again after so long. */
const AGAIN_MS = 60_000

/**
 * Compares published files with the ledger, a few at a time, again and again: each round the newest of each view and
 * model, and by and by all others. What is missing or another's is published again, or its slot is reopened.
 * @returns the round; it throws where the ledger does not answer
 */
export function openGuard(place: Repairer): () => Promise<void> {
  let after = 0
  const notBefore = new Map<number, number>()
  return async () => {
    const { views, models } = place.project()
    const names = [
      ...Object.keys(views).map((name) => ({ kind: 'features' as const, name })),
      ...Object.keys(models).map((name) => ({ kind: 'scores' as const, name })),
    ]
    const { newest, others } = await publishedSlots(place.database.pool, names, after, LOOKS)
    after = others.length < LOOKS ? 0 : (others.at(-1)?.id ?? 0)
    const all = new Map([...newest, ...others].map((slot) => [slot.id, slot]))
    let reads = 0
    for (const slot of all.values()) {
      if ((notBefore.get(slot.id) ?? 0) > performance.now()) continue
      notBefore.delete(slot.id)
      if (reads >= READS || (await isUnchanged(place.warehouse, slot))) continue
      reads += 1
      if (!(await repair(place, slot))) notBefore.set(slot.id, performance.now() + AGAIN_MS)
    }
  }
}

async function isUnchanged(warehouse: string, slot: PublishedSlot): Promise<boolean> {
  if (slot.stamp === null) return false
  // What is not known to be unchanged, and what cannot be seen, is looked at under the slot's lock.
  return (await stampOf(partitionOf(warehouse, slot).file).catch(() => undefined)) === slot.stamp
}

/** @returns whether all is well now */
async function repair(place: Repairer, slot: PublishedSlot): Promise<boolean> {
  try {
    const { state } = await repairPublished(place, slot.id)
    return state !== 'removed'
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    place.log.warn(
      { slot: slot.id },
      `${slot.kind} ${slot.name} ${slot.partition} cannot be looked at or put right: ${why}`,
    )
    const reason = `its published file cannot be looked at or put right: ${why}`
    await explainPublished(place.database.pool, slot.id, slot.run, reason)
    return false
  }
}

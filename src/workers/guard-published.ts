import { type PublishedSlot, publishedSlots } from '../ledger/nights/published.ts'
import { explainPublished } from '../ledger/nights/slot-facts.ts'
import { stampOf } from '../storage/published-file.ts'
import { isStored } from '../storage/warehouse-files.ts'
import { partitionOf } from './attempt/publication.ts'
import { type Repairer, repairPublished } from './repair-published.ts'

/** Files checked per round in addition to the newest of each view and model: about 5 ms. */
const CHECKS = 100
/** In a bucket each check is a request. */
const REQUESTS = 10
/** Of the files whose stamp differs from the ledger's, this many are read per round. */
const READS = 5
/** What could not be repaired, such as a path without write permission, is retried after this time. */
const AGAIN_MS = 60_000

/**
 * Compares published files with the ledger, a few per round: the newest of each view and model every round, and all
 * others over time. Missing or foreign files are published again, or the slot is reopened.
 * @returns the round; it throws if the ledger does not answer
 */
export function openGuard(context: Repairer): () => Promise<void> {
  let after = 0
  const notBefore = new Map<number, number>()
  return async () => {
    const { views, models } = context.project()
    const names = [
      ...Object.keys(views).map((name) => ({ kind: 'features' as const, name })),
      ...Object.keys(models).map((name) => ({ kind: 'scores' as const, name })),
    ]
    const checks = isStored(context.warehouse) ? REQUESTS : CHECKS
    const { newest, others } = await publishedSlots(context.database.pool, names, after, checks)
    after = others.length < checks ? 0 : (others.at(-1)?.id ?? 0)
    const all = new Map([...newest, ...others].map((slot) => [slot.id, slot]))
    let reads = 0
    for (const slot of all.values()) {
      if ((notBefore.get(slot.id) ?? 0) > performance.now()) continue
      notBefore.delete(slot.id)
      if (reads >= READS || (await isUnchanged(context.warehouse, slot))) continue
      reads += 1
      if (!(await repair(context, slot))) notBefore.set(slot.id, performance.now() + AGAIN_MS)
    }
  }
}

async function isUnchanged(warehouse: string, slot: PublishedSlot): Promise<boolean> {
  if (slot.stamp === null) return false
  // Files not known to be unchanged, or not readable, are checked under the slot's lock.
  return (await stampOf(partitionOf(warehouse, slot).file).catch(() => undefined)) === slot.stamp
}

/** @returns whether the file is now correct */
async function repair(context: Repairer, slot: PublishedSlot): Promise<boolean> {
  try {
    const { state } = await repairPublished(context, slot.id)
    return state !== 'removed'
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    context.log.warn(
      { slot: slot.id },
      `${slot.kind} ${slot.name} ${slot.partition} cannot be checked or repaired: ${why}`,
    )
    const reason = `its published file cannot be checked or repaired: ${why}`
    await explainPublished(context.database.pool, slot.id, slot.run, reason)
    return false
  }
}

import { attemptId, type Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import type { JobQueues, QueueName } from './queues.ts'

type Enqueued = Pick<Run, 'id' | 'kind' | 'name' | 'partition' | 'backfill' | 'trigger'>

/**
 * Scheduled nights and backfilled nights have separate queues. Features that only versions in shadow need go with the
 * backfills: an endless challenger takes no place from the champion's night.
 */
export function jobQueue({ kind, backfill, trigger }: Pick<Run, 'kind' | 'backfill' | 'trigger'>): QueueName {
  const nightly = kind === 'features' ? 'features' : 'scoring'
  return backfill === null && trigger !== 'shadow' ? nightly : `${nightly}-backfill`
}

/** Adds an attempt to its queue; does nothing if its job is already there. */
export async function enqueueAttempt(queues: JobQueues, run: Enqueued, attempt: number): Promise<void> {
  await queues.add(jobQueue(run), {
    id: attemptId(run.id, attempt),
    title: slotTitle(run),
    data: { run: run.id, attempt, slot: `${run.name}:${run.partition}` },
  })
}

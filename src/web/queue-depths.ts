import { type QueueDepth, queueDepths } from '../jobs/queue/queue-depth.ts'
import { within } from '../jobs/queue/within.ts'
import { nowAt, type Place } from './page-context.ts'

const CLOCK_MS = 500

/** How much waits in each queue, by the ledger's clock; where the ledger is away, by this machine's. */
export async function askDepths(place: Pick<Place, 'database' | 'queues' | 'clock'>): Promise<QueueDepth[]> {
  const now = await within(CLOCK_MS, nowAt(place)).catch(() => new Date())
  return queueDepths(place.queues, now.getTime())
}

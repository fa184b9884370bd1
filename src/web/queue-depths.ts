import { type QueueDepth, queueDepths } from '../jobs/queue/queue-depth.ts'
import { within } from '../jobs/queue/within.ts'
import { nowAt, type PageContext } from './page-context.ts'

const CLOCK_MS = 500

/** The waiting jobs of each queue, by the ledger's clock; if the ledger is unavailable, by this machine's clock. */
export async function askDepths(
  pageContext: Pick<PageContext, 'database' | 'queues' | 'clock'>,
): Promise<QueueDepth[]> {
  const now = await within(CLOCK_MS, nowAt(pageContext)).catch(() => new Date())
  return queueDepths(pageContext.queues, now.getTime())
}

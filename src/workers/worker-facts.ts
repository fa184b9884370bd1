import { duration } from '../format/elapsed.ts'
import { bytes } from '../format/sizes.ts'
import type { LivingWorker } from '../ledger/workers/living-workers.ts'
import { takesText } from '../ledger/workers/takes.ts'

/** A worker as people read it. */
export interface WorkerFacts {
  id: string
  host: string
  version: string
  places: number
  memory: string
  /** Beside the ledger's. */
  clock: string
  takes: string
  worksOn: string
}

export function workerFacts(worker: LivingWorker): WorkerFacts {
  const { id, host, version, places, memory, clock_ahead_ms: ahead, takes, works_on } = worker
  return {
    id,
    host,
    version: version ?? 'unknown',
    places,
    memory: memory === null ? 'unknown' : bytes(memory),
    clock:
      ahead === null
        ? 'not measured yet'
        : `${duration(Math.abs(Math.round(ahead)))} ${ahead < 0 ? 'behind' : 'ahead'}`,
    takes: takesText(takes),
    worksOn: works_on.join(', '),
  }
}

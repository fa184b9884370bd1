import type { WorkerHandle } from '../jobs/queue/queue-engine.ts'
import { startLoop } from '../workers/worker-loop.ts'

const LOOK_MS = 1_000
/** Whoever closes a queue only because nothing is wanted of it waits for what it has taken. */
const UNLIMITED_MS = 2 ** 31 - 1

/**
 * Takes jobs from a queue only while the ledger has runs that are wanted. A queue cannot be asked for the jobs of one model: each
 * job is taken in its turn, and passed on if it is another worker's. Without this, a worker with nothing to do would take and pass
 * on all jobs of the others without end.
 */
export function workWhileWanted(
  open: () => Promise<WorkerHandle>,
  wanted: () => Promise<boolean>,
  onError: (error: unknown) => void,
): WorkerHandle {
  let opened: WorkerHandle | undefined
  const loop = startLoop(
    async () => {
      const isWanted = await wanted()
      if (isWanted && opened === undefined) opened = await open()
      else if (!isWanted && opened !== undefined) {
        await opened.close(UNLIMITED_MS)
        opened = undefined
      }
      return undefined
    },
    { everyMs: LOOK_MS, onError },
  )
  return {
    async close(graceMs) {
      const ended = loop.close()
      await opened?.close(graceMs)
      await ended
      await opened?.close(graceMs)
    },
  }
}

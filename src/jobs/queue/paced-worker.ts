import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'

const PAUSE_MS = 1_000

/**
 * BullMQ's worker asks for the next job again at once where the question failed for any reason but a refused
 * connection: a server that starts, or that takes no more connections, would be asked thousands of times a second.
 */
export class PacedWorker extends Worker {
  protected override async moveToActive(...of: Parameters<Worker['moveToActive']>) {
    try {
      return await super.moveToActive(...of)
    } catch (error) {
      await sleep(PAUSE_MS, undefined, { ref: false })
      throw error
    }
  }
}

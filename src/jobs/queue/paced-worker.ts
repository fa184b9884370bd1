import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'

const PAUSE_MS = 1_000

/**
 * BullMQ's worker requests the next job again at once if the request failed for any reason other than a refused
 * connection. A server that is starting, or accepts no more connections, would get thousands of requests a second.
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

/**
 * Ends a compute child whose worker is gone. A model that never returns blocks the child's main thread, and with it
 * `disconnect`, timers, signal handlers and `process.exit`; a thread that polls the parent's id and sends SIGKILL to
 * its own process still works.
 */
import { workerData } from 'node:worker_threads'

const POLL_MS = 500
const { parent } = workerData as { parent: number }

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, POLL_MS)

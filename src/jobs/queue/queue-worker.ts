import { setTimeout as sleep } from 'node:timers/promises'
import {
  asError,
  type BullWorker,
  type Engine,
  type Processor,
  type WorkerHandle,
  type WorkRequest,
} from './queue-engine.ts'
import { within } from './within.ts'

/**
 * A dead worker is noticed after 10 s and its job is delivered again; the ledger decides whether it runs. The limits
 * only stop a job that kills each worker before it reaches the ledger.
 */
const WORKER_SETTINGS = {
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 50,
  maxStartedAttempts: 50,
  /** BullMQ waits 15 s after a refused connection; a server restart takes one or two. */
  runRetryDelay: 2_000,
}

/** Delays before a worker that did not start, or ended by itself, is created again. Doubled each time. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

/**
 * Takes jobs until it is closed. BullMQ keeps a failed start for ever and would await it again without yielding to
 * the event loop. Therefore a worker runs only after it has started, and one that did not start is discarded and
 * created again.
 */
export function startWork(engine: Engine, name: string, request: WorkRequest): WorkerHandle {
  const running = new Set<Promise<unknown>>()
  let isClosed = false
  const process: Processor = async (job, _token, signal) => {
    // It stays in the queue, and is delivered to another worker.
    if (isClosed) throw new Error('the worker is closed')
    const work = request.process(job, signal ?? new AbortController().signal)
    running.add(work)
    try {
      return await work
    } finally {
      running.delete(work)
    }
  }
  const closing = new AbortController()
  let worker: BullWorker | undefined

  const build = (): BullWorker => {
    const built = engine.openWorker(name, process, { ...WORKER_SETTINGS, concurrency: request.concurrency })
    built.on('error', (error) => engine.complain(error))
    built.on('lockRenewalFailed', (ids) => {
      for (const id of ids) {
        built.cancelJob(id, 'the lock of the job was lost')
        request.onLost?.(id)
      }
    })
    return built
  }
  const keepWorking = async () => {
    // If the server is misconfigured, no jobs are taken from it.
    await engine.usable()
    for (let pause = FIRST_PAUSE_MS; !closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      worker = build()
      try {
        await worker.waitUntilReady()
        if (closing.signal.aborted) return
        pause = FIRST_PAUSE_MS
        await worker.run()
      } catch (error) {
        engine.complain(asError(error))
      }
      if (closing.signal.aborted) return
      await discard(worker)
      await sleep(pause, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  }
  keepWorking().catch((error: unknown) => engine.complain(asError(error)))

  let closed: Promise<void> | undefined
  return {
    close(graceMs = 10_000) {
      closing.abort()
      closed ??= (worker === undefined ? Promise.resolve() : closeWorker(worker, running, graceMs)).then(
        () => {
          isClosed = true
        },
      )
      return closed
    },
  }
}

/** A worker that never took a job, or no longer takes any. */
async function discard(worker: BullWorker): Promise<void> {
  if (await settles(worker.close(true), 1_000)) return
  await settles(worker.disconnect(), 1_000)
}

/** Waits for the jobs that run, and for one that the server was about to deliver. */
async function closeWorker(
  worker: BullWorker,
  running: Set<Promise<unknown>>,
  graceMs: number,
): Promise<void> {
  const ended = worker.close().catch(() => {})
  const isOver = async (ms: number) => {
    await settles(Promise.allSettled(running), ms)
    // Only the report of the jobs' ends is left, which is impossible if the server is unavailable.
    return await settles(ended, 1_000)
  }
  const until = performance.now() + graceMs
  do {
    if (await isOver(until - performance.now())) return
  } while (running.size > 0 && performance.now() < until)
  if (running.size > 0) {
    worker.cancelAllJobs('the worker is closing')
    if (await isOver(2_000)) return
  }
  // Jobs that ignore the signal hold their lock until it expires: without a connection they cannot renew it.
  await settles(worker.disconnect(), 1_000)
}

async function settles(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return await within(ms, promise).then(
    () => true,
    () => false,
  )
}

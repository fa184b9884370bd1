import type { WorkerHandle } from '../jobs/queue/queue-engine.ts'
import type { JobQueues } from '../jobs/queue/queues.ts'
import { BACKFILL_QUEUES, NIGHTLY_QUEUES } from '../jobs/queue/queues.ts'
import { beat, type ProcessRole } from '../ledger/nights/alive.ts'
import { monitorNight } from '../monitoring/drift/job.ts'
import { measureNight } from '../monitoring/outcomes/job.ts'
import { certify } from '../monitoring/parity/job.ts'
import { workInShadow } from '../monitoring/shadow/job.ts'
import { execute } from '../workers/attempt/execution.ts'
import { clockWatch } from '../workers/clock-difference.ts'
import type { Context } from '../workers/context.ts'
import { sweepRegularly } from '../workers/sweep.ts'
import { workRetraining } from './work-retraining.ts'

/** Marks the job as failed in the queue; the ledger has the details. */
class AttemptFailed extends Error {
  override name = 'AttemptFailed'
  override stack = ''
}

export interface Worker {
  /** Takes no more jobs, waits at most `graceMs` for running attempts, then ends their children. */
  close(graceMs?: number): Promise<void>
}

/** What is done about a retraining that is asked for. A simulation only notes it. */
export type Retraining = (context: Context, data: unknown, signal: AbortSignal) => Promise<string>

/** Carries out an operation that a person or a schedule asks for. */
export type Operate = (data: unknown, signal: AbortSignal) => Promise<string>

/** An alert drill waits for people: others need not wait for it. */
const OPERATIONS = 4
const GRACE_MS = 10_000

/**
 * Takes jobs from the queues until it is closed. Nightly queues may use the full worker capacity, backfill queues all but
 * one concurrent run. The compute children enforce the capacity (children.ts), which all four queues share. Without
 * `operate`, as in a simulation, no operation is taken.
 */
export async function startWorker(
  context: Context,
  queues: JobQueues,
  role: ProcessRole,
  { retrain = workRetraining, operate }: { retrain?: Retraining; operate?: Operate } = {},
): Promise<Worker> {
  const { places } = context.children
  const sweeping = sweepRegularly(context)
  const stopBeating = await beat(
    context.database,
    { id: context.id, role, places },
    { activeAttempts: context.activeAttempts, onClock: clockWatch(context.log) },
  )
  const handles: WorkerHandle[] = []
  const lanes = [
    ...NIGHTLY_QUEUES.map((queue) => ({ queue, lane: 'nightly' as const, concurrency: places })),
    ...BACKFILL_QUEUES.map((queue) => ({
      queue,
      lane: 'backfill' as const,
      concurrency: Math.max(1, places - 1),
    })),
  ]
  for (const { queue, lane, concurrency } of lanes) {
    handles.push(
      await queues.work(queue, {
        concurrency,
        process: async (job, signal) => {
          try {
            const { sentence, failed } = await execute(context, {
              data: job.data,
              lane,
              signal,
              log: (line) => void job.log(line).catch(() => {}),
              progress: (progress) => void job.updateProgress(progress).catch(() => {}),
            })
            // The queue does not retry: the error only puts the job under Failed on the board.
            if (failed) throw new AttemptFailed(sentence)
            return sentence
          } finally {
            context.wake()
          }
        },
      }),
    )
  }
  // A command ends with its own runs and leaves monitoring jobs to long-running processes.
  if (role !== 'command') {
    handles.push(
      await queues.work('parity', {
        concurrency: 1,
        process: (job, signal) => certify(context, job.data, { lane: 'monitor', signal }),
      }),
      await queues.work('monitor', {
        concurrency: 1,
        process: (job, signal) => monitorNight(context, job.data, { lane: 'monitor', signal }),
      }),
      await queues.work('outcomes', {
        concurrency: 1,
        process: (job, signal) => measureNight(context, job.data, { lane: 'monitor', signal }),
      }),
      await queues.work('shadow', {
        concurrency: 1,
        process: (job, signal) => workInShadow(context, job.data, { lane: 'shadow', signal }),
      }),
      await queues.work('retraining', {
        concurrency: 1,
        process: (job, signal) => retrain(context, job.data, signal),
      }),
    )
    if (operate !== undefined)
      handles.push(
        await queues.work('operations', {
          concurrency: OPERATIONS,
          process: (job, signal) => operate(job.data, signal),
        }),
      )
  }
  return {
    async close(graceMs = GRACE_MS) {
      await sweeping.close()
      const ended = Promise.all(handles.map((handle) => handle.close()))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))])
      clearTimeout(timer)
      await context.children.close()
      await ended
      await stopBeating()
    },
  }
}

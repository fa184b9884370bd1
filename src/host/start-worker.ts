import { boardLog } from '../jobs/queue/board-log.ts'
import { enqueueFlow } from '../jobs/queue/enqueue-shards.ts'
import type { TakenJob, WorkerHandle } from '../jobs/queue/queue-engine.ts'
import type { JobQueues, QueueName } from '../jobs/queue/queues.ts'
import { BACKFILL_QUEUES, NIGHTLY_QUEUES } from '../jobs/queue/queues.ts'
import { beat } from '../ledger/nights/alive.ts'
import type { ProcessRole } from '../ledger/workers/process-role.ts'
import { takesWork, type Work, workOf } from '../ledger/workers/takes.ts'
import { monitorNight } from '../monitoring/drift/job.ts'
import { measureNight } from '../monitoring/outcomes/job.ts'
import { certify } from '../monitoring/parity/job.ts'
import { workInShadow } from '../monitoring/shadow/job.ts'
import { ownVersion } from '../program/own-files.ts'
import { execute, runOfJob } from '../workers/attempt/execution.ts'
import { planMemory } from '../workers/child/memory-shares.ts'
import { clockWatch } from '../workers/clock-difference.ts'
import type { Context } from '../workers/context.ts'
import { machineMemory } from '../workers/machine-memory.ts'
import { sweepRegularly } from '../workers/sweep.ts'
import { type Choice, openChosenWork } from './chosen-work.ts'
import { workWhileWanted } from './wanted-work.ts'
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
 * `operate`, as in a simulation, no operation is taken. `choice`: what it takes of all that; default everything.
 */
export async function startWorker(
  context: Context,
  queues: JobQueues,
  role: ProcessRole,
  {
    retrain = workRetraining,
    operate,
    choice = {},
  }: { retrain?: Retraining; operate?: Operate; choice?: Choice } = {},
): Promise<Worker> {
  const { places } = context.children
  const chosen = await openChosenWork(context, choice)
  const takes = (work: Work) => takesWork(chosen.now(), work)
  const sweeping = sweepRegularly(context)
  const stopBeating = await beat(
    context.database,
    {
      id: context.id,
      role,
      places,
      version: ownVersion(),
      memory: planMemory(machineMemory(), { places, monitors: 1 }, context.project()).total,
      takes: chosen.now,
    },
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
    const kind = queue.startsWith('features') ? 'features' : 'scores'
    if (!takes(workOf(kind))) continue
    const perform = async (job: TakenJob, signal: AbortSignal) => {
      try {
        const { sentence, failed } = await execute(context, {
          data: job.data,
          lane,
          signal,
          divides: role !== 'command' && lane === 'nightly',
          flow: (run, attempt, shards) => enqueueFlow(queues, run, attempt, shards),
          log: boardLog(job),
          progress: (progress) => void job.updateProgress(progress).catch(() => {}),
        })
        // The queue does not retry: the error only puts the job under Failed on the board.
        if (failed) throw new AttemptFailed(sentence)
        return sentence
      } finally {
        context.wake()
      }
    }
    if (choice.models === undefined) {
      handles.push(await queues.work(queue, { concurrency, process: perform }))
      continue
    }
    // The planner adds the job of another's run again.
    const own = async (job: TakenJob, signal: AbortSignal) =>
      (await chosen.owns(runOfJob(job.data))) ? await perform(job, signal) : 'is for another worker'
    handles.push(
      workWhileWanted(
        () => queues.work(queue, { concurrency, process: own }),
        () => chosen.wants(kind),
        (error) => context.log.warn(`looking for wanted runs: ${String(error)}`),
      ),
    )
  }
  // A command ends with its own runs and leaves monitoring jobs to long-running processes.
  if (role !== 'command' && takes('monitoring')) {
    const works: [QueueName, (data: unknown, signal: AbortSignal) => Promise<unknown>][] = [
      ['parity', (data, signal) => certify(context, data, { lane: 'monitor', signal })],
      ['monitor', (data, signal) => monitorNight(context, data, { lane: 'monitor', signal })],
      ['outcomes', (data, signal) => measureNight(context, data, { lane: 'monitor', signal })],
      ['shadow', (data, signal) => workInShadow(context, data, { lane: 'shadow', signal })],
    ]
    for (const [queue, work] of works)
      handles.push(
        await queues.work(queue, { concurrency: 1, process: ({ data }, signal) => work(data, signal) }),
      )
  }
  if (role !== 'command' && takes('retraining'))
    handles.push(
      await queues.work('retraining', {
        concurrency: 1,
        process: (job, signal) => retrain(context, job.data, signal),
      }),
    )
  if (role !== 'command' && takes('operations') && operate !== undefined)
    handles.push(
      await queues.work('operations', {
        concurrency: OPERATIONS,
        process: (job, signal) => operate(job.data, signal),
      }),
    )
  return {
    async close(graceMs = GRACE_MS) {
      const ended = Promise.all([sweeping.close(), ...handles.map((handle) => handle.close())])
      let timer: NodeJS.Timeout | undefined
      await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))])
      clearTimeout(timer)
      await context.children.close()
      await ended
      await stopBeating()
    },
  }
}

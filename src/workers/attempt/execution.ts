import { z } from 'zod'
import { transaction } from '../../ledger/connection/database.ts'
import { olderThanLedger } from '../../ledger/migrations/migrate.ts'
import { claimAttempt } from '../../ledger/nights/attempt-records.ts'
import { attemptId } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { stackOf } from '../../pipeline/engine/stack.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Context } from '../context.ts'
import { type Recorded, recordFailure } from './attempt-outcome.ts'
import { followProgress } from './attempt-progress.ts'
import { compute } from './compute.ts'
import { judge } from './judge.ts'
import { compareWithPromise } from './keep-promise.ts'
import { publish } from './publication.ts'
import { resolve } from './resolve.ts'
import { openSteps } from './steps.ts'

/** The payload of a job. It can be edited on the board, so it is validated here; everything else is in the ledger. */
const JobData = z.object({ run: z.string().min(1), attempt: z.number().int().positive() })

/** The run that a job is of. */
export function runOfJob(data: unknown): string {
  return JobData.parse(data).run
}

export interface DeliveredJob {
  data: unknown
  lane: 'nightly' | 'backfill'
  /** A line in the job's log on the queue board. */
  log: (line: string) => void
  progress: (progress: { text: string; rows?: number; total?: number }) => void
  /** Aborted when the queue's lock is lost: another worker may have the job by then. */
  signal: AbortSignal
}

/**
 * Runs one attempt, from a job to an outcome in the ledger. Failures of the work itself are not thrown: they are
 * recorded, and the ledger decides what follows. Throws if the ledger cannot be reached.
 */
export async function execute(context: Context, job: DeliveredJob): Promise<Recorded> {
  const { run: id, attempt: number } = JobData.parse(job.data)
  // Before the claim, so that a heartbeat right after it includes the attempt.
  const release = context.activeAttempts.take({ run: id, number })
  try {
    return await attempt(context, job, id, number)
  } finally {
    release()
  }
}

async function attempt(context: Context, job: DeliveredJob, id: string, number: number): Promise<Recorded> {
  const claim = await transaction(context.database, async (client) => {
    // The host checks this only from time to time: no work starts on a ledger that this build does not know.
    const older = await olderThanLedger(client)
    if (older !== undefined) throw new ConfigurationError(older)
    return await claimAttempt(client, id, number, { worker: context.id })
  })
  if (claim.kind === 'ended') return { sentence: claim.reason, failed: false }
  const log = context.log.child({ run: id, attempt: number, slot: slotTitle(claim.run) })

  if (claim.kind === 'lost') {
    const failure = new Failure('transient', `the worker of attempt ${number} was lost`, {
      evidence: { lost: true },
    })
    const recorded = await recordFailure(context, claim.run, { number, steps: [] }, failure)
    log.warn(`attempt ${number} was lost; ${recorded.sentence}`)
    return recorded
  }

  const { run, fence, knownAt } = claim
  const progress = followProgress(context, run.id, job)
  const steps = openSteps((step) => {
    progress.step(step)
    job.log(`${new Date().toISOString()} ${step}`)
  })
  const tried = { number, fence, steps: steps.done, usage: steps.usage }
  log.info('started')
  try {
    const plan = await steps.time('resolve', () =>
      resolve(context, run, { attempt: attemptId(id, number), knownAt }),
    )
    const computed = await steps.time('compute', () =>
      compute(context, plan, { ...job, steps, progress: progress.rows }),
    )
    const result = await compareWithPromise(context, run, computed)
    const verdict = judge(plan, result)
    if (verdict !== undefined) {
      const recorded = await recordFailure(context, run, tried, verdict, result)
      log.warn({ failure: verdict.toRecord() }, recorded.sentence)
      return recorded
    }
    await steps.time('publish', () => publish(context, run, tried, result))
    log.info({ rows: result.file.rows }, 'published')
    progress.rows('published', result.file.rows, result.file.rows)
    return { sentence: `published ${result.file.rows} rows`, failed: false }
  } catch (error) {
    const failure = classify(error)
    const recorded = await recordFailure(context, run, tried, failure)
    log.warn({ failure: failure.toRecord(), stack: stackOf(failure) }, recorded.sentence)
    return recorded
  } finally {
    await progress.close()
  }
}

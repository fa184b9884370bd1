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
import { isStored, sendFile } from '../../storage/warehouse-files.ts'
import type { Context } from '../context.ts'
import { executeShard } from '../shards/execute-shard.ts'
import { joinAttempt } from '../shards/join-attempt.ts'
import { planSplit, splitAttempt } from '../shards/split-attempt.ts'
import { type Recorded, recordFailure } from './attempt-outcome.ts'
import { followProgress } from './attempt-progress.ts'
import { compute } from './compute.ts'
import type { DeliveredJob } from './delivered-job.ts'
import { judge } from './judge.ts'
import { compareWithPromise } from './keep-promise.ts'
import { publish, type Result } from './publication.ts'
import { resolve } from './resolve.ts'
import { openSteps } from './steps.ts'

/** The payload of a job. It can be edited on the board, so it is validated here; everything else is in the ledger. */
const JobData = z.object({
  run: z.string().min(1),
  attempt: z.number().int().positive(),
  shard: z.number().int().positive().optional(),
})

/** The run that a job is of. */
export function runOfJob(data: unknown): string {
  return JobData.parse(data).run
}

/**
 * Runs one attempt, from a job to an outcome in the ledger. Failures of the work itself are not thrown: they are
 * recorded, and the ledger decides what follows. Throws if the ledger cannot be reached.
 */
export async function execute(context: Context, job: DeliveredJob): Promise<Recorded> {
  const { run: id, attempt: number, shard } = JobData.parse(job.data)
  if (shard !== undefined) return await executeShard(context, job, { run: id, attempt: number, shard })
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

  const { run, fence } = claim
  const progress = followProgress(context, run.id, job)
  const steps = openSteps(
    (step) => {
      progress.step(step)
      job.log(`${new Date().toISOString()} ${step}`)
    },
    claim.kind === 'join' ? claim.split.steps : [],
  )
  const tried = { number, fence, steps: steps.done, usage: steps.usage }
  const working = { ...job, steps, progress: progress.rows }
  log.info(claim.kind === 'join' ? 'joins its shards' : 'started')
  try {
    let computed: Result
    if (claim.kind === 'join') {
      computed = await steps.time('compute', () => joinAttempt(context, claim, steps, working))
    } else {
      const plan = await steps.time('resolve', () =>
        resolve(context, run, { attempt: attemptId(id, number), knownAt: claim.knownAt }),
      )
      const splitting = await planSplit(context, plan, working)
      if (splitting !== undefined) {
        const shards = splitting.shards.length
        await splitAttempt(context, splitting, tried)
        // Without the queue the planner adds them, as it does with all that is missing in it.
        await job.flow(run, number, shards).catch((error: unknown) => log.warn(`${error}`))
        log.info({ shards }, 'split into shards')
        return { sentence: `split into ${shards} shards`, failed: false }
      }
      computed = await steps.time('compute', () => compute(context, plan, working))
    }
    const result = await compareWithPromise(context, run, computed)
    // Also what may be held: it is released from any machine.
    if (isStored(context.warehouse))
      await steps.time('upload', () => sendFile(result.file.path, result.file, job.signal))
    const verdict = judge(run, result)
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

import { transaction } from '../../ledger/connection/database.ts'
import { olderThanLedger } from '../../ledger/migrations/migrate.ts'
import { recordProgress } from '../../ledger/nights/run-facts.ts'
import { claimShard, finishShard, returnShard, SHARD_TRIES } from '../../ledger/shards/claim-shard.ts'
import type { Shard, Split } from '../../ledger/shards/split-records.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import type { Usage } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type Recorded, recordFailure } from '../attempt/attempt-outcome.ts'
import type { DeliveredJob } from '../attempt/delivered-job.ts'
import type { Context } from '../context.ts'
import { doShard } from './do-shard.ts'
import { holdShard, overtaken } from './hold-shard.ts'
import { storedPart } from './shard-paths.ts'

/**
 * Does one shard of a split attempt, from a job to a part in the ledger. A failure of the work is not thrown: the shard is tried
 * again, or the attempt fails with it. Throws if the ledger cannot be reached.
 */
export async function executeShard(
  context: Context,
  job: DeliveredJob,
  named: Pick<Shard, 'run' | 'attempt' | 'shard'>,
): Promise<Recorded> {
  const claim = await transaction(context.database, async (client) => {
    const older = await olderThanLedger(client)
    if (older !== undefined) throw new ConfigurationError(older)
    return await claimShard(client, named, context.id)
  })
  if (claim.kind === 'ended') return { sentence: claim.reason, failed: false }
  const { run, shard } = claim
  const log = context.log.child({ run: run.id, attempt: shard.attempt, shard: shard.shard })
  const failAttempt = async (failure: Failure) => {
    const recorded = await recordFailure(context, run, { number: shard.attempt, steps: [] }, failure)
    log.warn({ failure: failure.toRecord() }, recorded.sentence)
    return recorded
  }
  if (claim.kind === 'exhausted') return await failAttempt(exhausted(shard))
  const held = holdShard(context.database, shard, claim.fence)
  log.info('shard started')
  try {
    let usage: Usage | undefined
    const part = await doShard(context, claim, {
      ...job,
      signal: AbortSignal.any([job.signal, held.signal]),
      onUsage: (used) => {
        usage = used
      },
    })
    const done = await finishShard(context.database.pool, shard, {
      fence: claim.fence,
      part: storedPart(context.warehouse, part),
      usage,
    })
    if (done === undefined) throw overtaken(shard)
    await recordProgress(context.database.pool, run.id, progressOf(claim.split, done)).catch(() => {})
    log.info({ rows: part.file.rows }, 'shard done')
    const did = claim.split.kind === 'scores' ? 'scored' : 'computed'
    return { sentence: `${did} ${part.file.rows} rows`, failed: false }
  } catch (error) {
    const failure = classify(error)
    if (failure.evidence.overtaken === true) {
      log.warn(failure.message)
      return { sentence: failure.message, failed: false }
    }
    const isClosing = failure.evidence.closing === true
    if (isClosing || (isPassing(failure) && shard.tries < SHARD_TRIES)) {
      const returned = {
        fence: claim.fence,
        failure: isClosing ? null : failure.toRecord(),
        counts: !isClosing,
      }
      await returnShard(context.database.pool, shard, returned)
      const sentence = isClosing ? 'handed back' : `is tried again: ${failure.message}`
      log.warn(`shard ${shard.shard} ${sentence}`)
      return { sentence, failed: !isClosing }
    }
    return await failAttempt(failure)
  } finally {
    held.release()
  }
}

/** Another try may end otherwise. A source that has changed fails all shards: the next attempt lists its files again. */
function isPassing({ failureClass, evidence }: Failure): boolean {
  const isLasting = evidence.ended === 'timeout' || evidence.changed === true
  return failureClass !== 'contract' && failureClass !== 'model' && !isLasting
}

/** Rows of features are known when all are there. */
function progressOf(split: Split, done: { shards: number; rows: number }) {
  return split.kind === 'scores'
    ? { text: `scoring in ${split.shards} shards`, rows: done.rows, total: split.rows }
    : { text: `computing features: ${done.shards} of ${split.shards} shards done` }
}

function exhausted({ shard, tries, failure }: Shard): Failure {
  const why = failure === null ? 'its workers were lost' : failure.message
  return new Failure('transient', `shard ${shard} was tried ${tries} times: ${why}`, {
    evidence: { shard, tries },
  })
}

import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { transaction } from '../../ledger/connection/database.ts'
import { olderThanLedger } from '../../ledger/migrations/migrate.ts'
import { recordProgress } from '../../ledger/nights/run-facts.ts'
import {
  claimShard,
  finishShard,
  returnShard,
  SHARD_TRIES,
  type ShardClaim,
} from '../../ledger/shards/claim-shard.ts'
import type { Shard } from '../../ledger/shards/split-records.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import type { Usage } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { lookAtPublished } from '../../storage/published-file.ts'
import { fetchFile } from '../../storage/warehouse-copy.ts'
import { sendFile } from '../../storage/warehouse-files.ts'
import { type Recorded, recordFailure } from '../attempt/attempt-outcome.ts'
import type { DeliveredJob } from '../attempt/delivered-job.ts'
import { tookTooLong } from '../child/child-endings.ts'
import type { Context } from '../context.ts'
import { holdShard, overtaken } from './hold-shard.ts'
import { requestHere, storedPart, tryPaths } from './shard-paths.ts'

type Started = Extract<ShardClaim, { kind: 'started' }>

/**
 * Scores one shard of a split attempt, from a job to a part in the ledger. A failure of the work is not thrown: the shard is tried
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
    const part = await score(context, claim, {
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
    const progress = { text: `scoring in ${claim.split.shards} shards`, rows: done, total: claim.split.rows }
    await recordProgress(context.database.pool, run.id, progress).catch(() => {})
    log.info({ rows: part.file.rows }, 'shard scored')
    return { sentence: `scored ${part.file.rows} rows`, failed: false }
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

/** Another try may end otherwise. */
function isPassing({ failureClass, evidence }: Failure): boolean {
  return failureClass !== 'contract' && failureClass !== 'model' && evidence.ended !== 'timeout'
}

function exhausted({ shard, tries, failure }: Shard): Failure {
  const why = failure === null ? 'its workers were lost' : failure.message
  return new Failure('transient', `shard ${shard} was tried ${tries} times: ${why}`, {
    evidence: { shard, tries },
  })
}

async function score(
  context: Context,
  { run, split, shard, left_ms }: Started,
  job: Pick<DeliveredJob, 'lane' | 'signal' | 'progress'> & { onUsage: (usage: Usage) => void },
): Promise<Part> {
  if (left_ms <= 0) throw tookTooLong('shard', run.settings.timeout_ms)
  const request = requestHere(context.warehouse, split, tryPaths(shard))
  const published = { run: split.features, sha256: split.features_sha, stamp: split.features_file }
  const verdict = await lookAtPublished(request.features, published)
  if (verdict.state !== 'right')
    throw new Failure(
      'resource',
      `the features of shard ${shard.shard} are not those of the attempt: ${verdict.why}`,
      {
        evidence: { shard: shard.shard, state: verdict.state },
      },
    )
  await fetchFile(request.features)
  for (const folder of [request.temp, dirname(request.out)]) await mkdir(folder, { recursive: true })
  try {
    const part = await context.children.run(
      'shard',
      {
        ...request,
        range: { first: shard.first_row, rows: shard.rows },
        shard: shard.shard,
        shards: split.shards,
        featuresSha256: split.features_sha ?? '',
      },
      {
        lane: job.lane,
        signal: job.signal,
        timeoutMs: left_ms,
        progress: (text, rows, total) =>
          job.progress({ text, ...(rows && { rows }), ...(total && { total }) }),
        onUsage: job.onUsage,
      },
    )
    await sendFile(part.file.path, part.file, job.signal)
    return part
  } finally {
    await rm(request.temp, { recursive: true, force: true })
  }
}

import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { knownInputs } from '../../ledger/nights/published.ts'
import type { ShardClaim } from '../../ledger/shards/claim-shard.ts'
import type { FeatureSplit, ScoreSplit } from '../../ledger/shards/split-records.ts'
import type { Usage } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { FeaturePart } from '../../pipeline/shards/compute-shard.ts'
import type { Part } from '../../pipeline/shards/score-shard.ts'
import { lookAtPublished } from '../../storage/published-file.ts'
import { fetchFile } from '../../storage/warehouse-copy.ts'
import { sendFile } from '../../storage/warehouse-files.ts'
import type { DeliveredJob } from '../attempt/delivered-job.ts'
import { tookTooLong } from '../child/child-endings.ts'
import type { TaskOptions } from '../child/children.ts'
import type { Context } from '../context.ts'
import { entitiesOf, featuresHere, requestHere, tryPaths } from './shard-paths.ts'

type Started = Extract<ShardClaim, { kind: 'started' }>
type Job = Pick<DeliveredJob, 'lane' | 'signal' | 'progress'> & { onUsage: (usage: Usage) => void }

/** Does the work of one try of a shard in a compute child, and hands its files over. Throws what the work throws. */
export async function doShard(context: Context, claim: Started, job: Job): Promise<Part | FeaturePart> {
  const { run, split, left_ms } = claim
  const task = split.kind === 'scores' ? 'shard' : 'feature-shard'
  if (left_ms <= 0) throw tookTooLong(task, run.settings.timeout_ms)
  const options: TaskOptions = {
    lane: job.lane,
    signal: job.signal,
    timeoutMs: left_ms,
    progress: (text, rows, total) => job.progress({ text, ...(rows && { rows }), ...(total && { total }) }),
    onUsage: job.onUsage,
  }
  return split.kind === 'scores'
    ? await score(context, claim, split, options)
    : await compute(context, claim, split, options)
}

async function score(
  context: Context,
  { shard }: Started,
  split: ScoreSplit,
  options: TaskOptions,
): Promise<Part> {
  const request = requestHere(context.warehouse, split, tryPaths(shard))
  const published = { run: split.features, sha256: split.features_sha, stamp: split.features_file }
  const verdict = await lookAtPublished(request.features, published)
  if (verdict.state !== 'right')
    throw new Failure(
      'resource',
      `the features of shard ${shard.shard} are not those of the attempt: ${verdict.why}`,
      { evidence: { shard: shard.shard, state: verdict.state } },
    )
  await fetchFile(request.features)
  return await within(request, async () => {
    const part = await context.children.run(
      'shard',
      {
        ...request,
        range: { first: shard.first_row ?? 0, rows: shard.rows ?? 0 },
        shard: shard.shard,
        shards: split.shards,
        featuresSha256: split.features_sha ?? '',
      },
      options,
    )
    await sendFile(part.file.path, part.file, options.signal)
    return part
  })
}

async function compute(
  context: Context,
  { run, shard }: Started,
  split: FeatureSplit,
  options: TaskOptions,
): Promise<FeaturePart> {
  const request = featuresHere(context, split, tryPaths(shard))
  const { snapshots, pinned, bucketed, entityTypes, viewHash } = split.request.division
  const known = await knownInputs(context.database.pool, run)
  return await within(request, async () => {
    const part = await context.children.run(
      'feature-shard',
      {
        ...request,
        known,
        share: { buckets: shard.buckets ?? [], snapshots },
        pinned,
        bucketed,
        entityTypes,
        viewHash,
        shard: shard.shard,
        shards: split.shards,
        entities: entitiesOf(request.out),
      },
      options,
    )
    await sendFile(part.file.path, part.file, options.signal)
    await sendFile(part.entities.path, undefined, options.signal)
    return part
  })
}

/** With the folders that a request writes to; its temporary one is removed. */
async function within<T>({ temp, out }: { temp: string; out: string }, work: () => Promise<T>): Promise<T> {
  for (const folder of [temp, dirname(out)]) await mkdir(folder, { recursive: true })
  try {
    return await work()
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Claim } from '../../ledger/nights/attempt-records.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import {
  type FeatureSplit,
  type ScoreSplit,
  type Shard,
  type Split,
  shardsOf,
} from '../../ledger/shards/split-records.ts'
import { fetchFiles } from '../../storage/warehouse-copy.ts'
import { featuresResult, scoresResult } from '../attempt/compute.ts'
import type { Result } from '../attempt/publication.ts'
import { findReplaced } from '../attempt/resolve.ts'
import type { Steps } from '../attempt/steps.ts'
import type { TaskOptions } from '../child/children.ts'
import type { Context } from '../context.ts'
import { featuresHere, isOfFeatures, partHere, requestHere } from './shard-paths.ts'

/** Joins the parts of an attempt's shards into its output. What they took counts as the attempt's. */
export async function joinAttempt(
  context: Context,
  { run, number, split }: Extract<Claim, { kind: 'join' }>,
  steps: Steps,
  options: Pick<TaskOptions, 'lane' | 'signal' | 'progress'>,
): Promise<Result> {
  const shards = await shardsOf(context.database.pool, run.id, number)
  for (const { usage } of shards) if (usage !== null) steps.used(usage)
  addSteps(steps, split, shards)
  const whole = { ...options, timeoutMs: run.settings.timeout_ms, onUsage: steps.used }
  return split.kind === 'scores'
    ? await joinScores(context, split, shards, steps, whole)
    : await joinFeatures(context, run, split, shards, steps, whole)
}

function addSteps(steps: Steps, split: Split, shards: Shard[]): void {
  const parts = shards.flatMap(({ part }) => part ?? [])
  steps.add(
    'shards',
    parts.map((part) => ({
      step: `${part.shard} of ${split.shards}`,
      ms: part.steps.reduce((sum, { ms }) => sum + ms, 0),
    })),
  )
}

async function joinScores(
  { warehouse, children }: Context,
  split: ScoreSplit,
  shards: Shard[],
  steps: Steps,
  options: TaskOptions,
): Promise<Result> {
  const parts = shards.flatMap(({ part }) =>
    part === null || isOfFeatures(part) ? [] : [partHere(warehouse, part)],
  )
  const request = requestHere(warehouse, split, { out: 'scores.parquet', temp: 'tmp' })
  await fetchFiles([request.features, ...parts.map(({ file }) => file.path)], { signal: options.signal })
  await mkdir(request.temp, { recursive: true })
  const { rows, features_sha, shards: count } = split
  const facts = await children.run(
    'join',
    { ...request, parts, shards: count, rows, featuresSha256: features_sha ?? '' },
    options,
  )
  steps.add('join', facts.steps)
  return scoresResult(facts, split.request.metadata.view_hash ?? null)
}

async function joinFeatures(
  context: Context,
  run: Run,
  split: FeatureSplit,
  shards: Shard[],
  steps: Steps,
  options: TaskOptions,
): Promise<Result> {
  const parts = shards.flatMap(({ part }) =>
    part !== null && isOfFeatures(part) ? [partHere(context.warehouse, part)] : [],
  )
  const request = featuresHere(context, split, { out: 'features.parquet', temp: 'tmp' })
  const files = parts.flatMap(({ file, entities }) => [file.path, entities.path])
  await fetchFiles(files, { signal: options.signal })
  await mkdir(request.temp, { recursive: true })
  // Another machine than the one that has split it may join it, and somebody may have published the night in between.
  const replaced = await findReplaced(context, run, dirname(request.out))
  const { view, out, temp, threads, metadata, previous } = request
  const facts = await context.children.run(
    'feature-join',
    {
      ...{ view, out, temp, threads, metadata, previous, parts },
      division: split.request.division,
      replaces: replaced?.file,
    },
    options,
  )
  steps.add('join', facts.steps)
  return featuresResult(facts, replaced?.run)
}

import { mkdir } from 'node:fs/promises'
import type { Claim } from '../../ledger/nights/attempt-records.ts'
import { shardsOf } from '../../ledger/shards/split-records.ts'
import { fetchFiles } from '../../storage/warehouse-copy.ts'
import { scoresResult } from '../attempt/compute.ts'
import type { Result } from '../attempt/publication.ts'
import type { Steps } from '../attempt/steps.ts'
import type { TaskOptions } from '../child/children.ts'
import type { Context } from '../context.ts'
import { partHere, requestHere } from './shard-paths.ts'

/** Joins the parts of an attempt's shards into its output. What they took counts as the attempt's. */
export async function joinAttempt(
  context: Context,
  { run, number, split }: Extract<Claim, { kind: 'join' }>,
  steps: Steps,
  options: Pick<TaskOptions, 'lane' | 'signal' | 'progress'>,
): Promise<Result> {
  const shards = await shardsOf(context.database.pool, run.id, number)
  for (const { usage } of shards) if (usage !== null) steps.used(usage)
  const parts = shards.flatMap(({ part }) => (part === null ? [] : [partHere(context.warehouse, part)]))
  steps.add(
    'shards',
    parts.map((part) => ({
      step: `${part.shard} of ${split.shards}`,
      ms: part.steps.reduce((sum, { ms }) => sum + ms, 0),
    })),
  )
  const request = requestHere(context.warehouse, split, { out: 'scores.parquet', temp: 'tmp' })
  await fetchFiles([request.features, ...parts.map(({ file }) => file.path)], { signal: options.signal })
  await mkdir(request.temp, { recursive: true })
  const facts = await context.children.run(
    'join',
    {
      ...request,
      parts,
      shards: split.shards,
      rows: split.rows,
      featuresSha256: split.features_sha ?? '',
    },
    { ...options, timeoutMs: run.settings.timeout_ms, onUsage: steps.used },
  )
  steps.add('join', facts.steps)
  return scoresResult(facts, split.request.metadata.view_hash ?? null)
}

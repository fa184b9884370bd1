import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { transaction } from '../../ledger/connection/database.ts'
import { holdsFence } from '../../ledger/nights/attempt-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import { recordSplit } from '../../ledger/shards/split-records.ts'
import { syncFolder } from '../../pipeline/partition/sync.ts'
import type { Division } from '../../pipeline/shards/divide-features.ts'
import { planRanges, type RowRange } from '../../pipeline/shards/row-ranges.ts'
import { stampOf } from '../../storage/published-file.ts'
import { isStored, keepSecond } from '../../storage/warehouse-files.ts'
import type { DeliveredJob } from '../attempt/delivered-job.ts'
import { partitionOf, superseded } from '../attempt/publication.ts'
import type { Plan } from '../attempt/resolve.ts'
import type { Steps, Tried } from '../attempt/steps.ts'
import type { Progress } from '../child/tasks.ts'
import type { Context } from '../context.ts'
import { storedFeatures, storedRequest } from './shard-paths.ts'

/** How an attempt is divided: scores by ranges of rows, features by buckets of the entity. */
export type Splitting =
  | { kind: 'scores'; plan: Extract<Plan, { kind: 'scores' }>; shards: RowRange[] }
  | {
      kind: 'features'
      plan: Extract<Plan, { kind: 'features' }>
      shards: Division['groups']
      division: Division
    }

/**
 * How a plan is divided; undefined where one worker does it all. Of features this looks at their sources, and finds what an attempt
 * finds before it computes: late data, SQL that is refused.
 */
export async function planSplit(
  context: Context,
  plan: Plan,
  job: Pick<DeliveredJob, 'lane' | 'signal' | 'divides'> & { steps: Steps; progress: Progress },
): Promise<Splitting | undefined> {
  if (plan.kind === 'scores') {
    const { shards: most, min_rows } = plan.model.scoring
    const shards = plan.features.rows === null ? undefined : planRanges(plan.features.rows, most, min_rows)
    return shards && { kind: 'scores', plan, shards }
  }
  const { perEntity, shards } = plan.view
  if (!perEntity || shards < 2 || !job.divides) return undefined
  const division = await context.children.run('divide', plan.request, {
    lane: job.lane,
    signal: job.signal,
    timeoutMs: plan.run.settings.timeout_ms,
    onUsage: job.steps.used,
  })
  if (division === undefined) return undefined
  job.steps.add('divide', division.steps)
  return { kind: 'features', plan, shards: division.groups, division }
}

/**
 * Leaves an attempt to shards: from now on any worker does a part of it, and the attempt lives in the ledger alone.
 * Throws a transient Failure if another attempt owns the slot.
 */
export async function splitAttempt(
  context: Context,
  splitting: Splitting,
  { number, fence, steps }: Tried & { fence: number },
): Promise<void> {
  const { plan, shards } = splitting
  const { run, request } = plan
  const parts = join(dirname(request.out), 'parts')
  await mkdir(parts, { recursive: true })
  await syncFolder(dirname(parts))
  const attempt = { run: run.id, attempt: number, steps }
  const split =
    splitting.kind === 'scores'
      ? { ...attempt, ...(await scoreSplit(context, splitting.plan)) }
      : { ...attempt, kind: 'features' as const, request: storedFeatures(context.root, splitting) }
  await transaction(context.database, async (client) => {
    await lockSlot(client, run.slot)
    if (!(await holdsFence(client, run.id, fence))) throw superseded(run, number)
    await recordSplit(client, split, shards)
  })
}

async function scoreSplit(context: Context, { features, request }: Extract<Plan, { kind: 'scores' }>) {
  // Other machines have no link to it.
  if (isStored(context.warehouse))
    await keepSecond(partitionOf(context.warehouse, features).file, request.features)
  const stamp = await stampOf(request.features)
  return {
    kind: 'scores' as const,
    rows: features.rows ?? 0,
    features: features.id,
    features_sha: features.sha256,
    features_file: stamp ?? null,
    request: storedRequest(context.warehouse, request),
  }
}

import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { transaction } from '../../ledger/connection/database.ts'
import { holdsFence } from '../../ledger/nights/attempt-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import { recordSplit } from '../../ledger/shards/split-records.ts'
import { syncFolder } from '../../pipeline/partition/sync.ts'
import { planRanges, type RowRange } from '../../pipeline/shards/row-ranges.ts'
import { stampOf } from '../../storage/published-file.ts'
import { isStored, keepSecond } from '../../storage/warehouse-files.ts'
import { partitionOf, superseded } from '../attempt/publication.ts'
import type { Plan } from '../attempt/resolve.ts'
import type { Tried } from '../attempt/steps.ts'
import type { Context } from '../context.ts'
import { storedRequest } from './shard-paths.ts'

/** The ranges of a plan's rows that shards are to score; undefined where one worker scores all. */
export function rangesOf(plan: Plan): RowRange[] | undefined {
  if (plan.kind !== 'scores' || plan.features.rows === null) return undefined
  const { shards, min_rows } = plan.model.scoring
  return planRanges(plan.features.rows, shards, min_rows)
}

/**
 * Leaves a scoring attempt to shards: from now on any worker scores a range of its rows, and the attempt lives in the ledger alone.
 * Throws a transient Failure if another attempt owns the slot.
 */
export async function splitAttempt(
  context: Context,
  plan: Extract<Plan, { kind: 'scores' }>,
  ranges: RowRange[],
  { number, fence, steps }: Tried & { fence: number },
): Promise<void> {
  const { run, features, request } = plan
  const parts = join(dirname(request.out), 'parts')
  await mkdir(parts, { recursive: true })
  await syncFolder(dirname(parts))
  // Other machines have no link to it.
  if (isStored(context.warehouse))
    await keepSecond(partitionOf(context.warehouse, features).file, request.features)
  const stamp = await stampOf(request.features)
  await transaction(context.database, async (client) => {
    await lockSlot(client, run.slot)
    if (!(await holdsFence(client, run.id, fence))) throw superseded(run, number)
    await recordSplit(
      client,
      {
        run: run.id,
        attempt: number,
        rows: features.rows ?? 0,
        features: features.id,
        features_sha: features.sha256,
        features_file: stamp ?? null,
        request: storedRequest(context.warehouse, request),
        steps,
      },
      ranges,
    )
  })
}

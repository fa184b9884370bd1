import { join } from 'node:path'
import type { ClientBase } from 'pg'
import { transaction } from '../ledger/connection/database.ts'
import { findRun, type Run } from '../ledger/nights/run-records.ts'
import { releaseRun } from '../ledger/nights/run-transitions.ts'
import { lockSlot } from '../ledger/nights/slots.ts'
import type { Column } from '../pipeline/engine/facts.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import { brokenStructure } from '../pipeline/features/releasable.ts'
import { readColumns } from '../pipeline/partition/footer.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import { keepPromise } from '../registry/view-promises.ts'
import { fetchFile } from '../storage/warehouse-copy.ts'
import { finishPublication, type Warehouse } from '../workers/attempt/publication.ts'

/**
 * Publishes the output of a held run on a person's decision. Throws a ConfigurationError if the run is not held, is
 * not the latest of its slot, or failed before it had a partition.
 */
export async function release(
  context: Warehouse,
  run: Run,
  { reason, by }: { reason: string; by: string },
): Promise<void> {
  const columns = await columnsOf(context, run)
  await transaction(context.database, async (client) => {
    const slot = await lockSlot(client, run.slot)
    const latest = await findRun(client, run.id)
    const state = latest?.state
    if (state !== 'held' || slot.run !== run.id) {
      throw new ConfigurationError(
        `release: expected a run that is held and the latest of its slot, got: ${run.id}, which is ${state}` +
          (slot.run === run.id ? '' : ` and was followed by run ${slot.run}`),
      )
    }
    const [broken] = brokenStructure(latest?.checks ?? [])
    if (broken !== undefined) {
      throw new ConfigurationError(
        `release: run ${run.id} cannot be released: ${broken.message}. Only what ${run.kind === 'scores' ? 'model.yaml' : 'view.yaml'} declares can be released (min, max, values, null rate, rows, freshness); fix the cause and nightshift retry ${run.id}`,
      )
    }
    if (latest?.path == null) {
      throw new ConfigurationError(
        `release: run ${run.id} was held before anything was computed; fix the cause and nightshift retry ${run.id}`,
      )
    }
    if (columns !== undefined && run.view_hash !== null)
      await refuseOtherColumns(client, run, run.view_hash, columns)
    await releaseRun(client, run, { reason, by })
  })
  await finishPublication(context, run.id)
}

/** For held features: the columns of the file. */
async function columnsOf({ warehouse }: Warehouse, run: Run): Promise<Column[] | undefined> {
  if (run.kind !== 'features' || run.state !== 'held' || run.path === null) return undefined
  return await readColumns(await fetchFile(join(warehouse, run.path)))
}

/** Another night may have fixed other columns since the run was held. */
async function refuseOtherColumns(
  client: ClientBase,
  run: Run,
  viewHash: string,
  columns: Column[],
): Promise<void> {
  try {
    await keepPromise(client, { run, viewHash, columns, sources: undefined })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new ConfigurationError(`release: run ${run.id} cannot be released: ${error.message}`)
  }
}

import { openRunOf } from '../../ledger/nights/run-records.ts'
import { unpublishSlot } from '../../ledger/nights/slot-transitions.ts'
import { lockSlot, slotTitle } from '../../ledger/nights/slots.ts'
import { keptPath, partitionPath, supersededPath } from '../../pipeline/partition/partition-files.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { withdraw } from '../../registry/champion.ts'
import { champion } from '../../registry/version-records.ts'
import { keepSecond, removeFile } from '../../storage/warehouse-files.ts'
import { notifyRecovery } from '../../workers/attempt/report-night.ts'
import type { Context } from '../../workers/context.ts'
import { publishedNights, type RollbackRequest } from './roll-back.ts'

/** A withdrawal has no version to go to: throws a ConfigurationError where one is given. */
export function refuseTarget(model: Model, to: number | undefined): void {
  if (to === undefined) return
  throw new ConfigurationError(
    `rollback ${model.name}: expected one of --to N and --withdraw, got: both; --withdraw leaves the model without a champion`,
  )
}

/**
 * Takes a model out of service: no version is champion, and the scores of the newest night (with `from`, of all nights from
 * it on) leave their stable paths, so that readers go back to what they used before. The files are kept with the superseded
 * ones. Throws a ConfigurationError if no version is champion or such a night is being computed.
 * @returns the version, and labels of the nights, newest first
 */
export async function withdrawChampion(
  context: Pick<Context, 'database' | 'warehouse' | 'project' | 'clock'>,
  model: Model,
  { from, reason, by }: Omit<RollbackRequest, 'to'>,
): Promise<{ version: number; nights: string[] }> {
  const { database, warehouse, project } = context
  const live = await champion(database.pool, model.name)
  if (live === undefined)
    throw new ConfigurationError(
      `rollback ${model.name}: no version is champion, so there is nothing to withdraw`,
    )
  const nights = await publishedNights({ database, project: project() }, model, from)
  const why = `version ${live.version} was withdrawn${reason === undefined ? '' : `: ${reason}`}`
  const copies: string[] = []
  await withdraw(database, {
    model: model.name,
    expected: live.version,
    by,
    reason: reason ?? null,
    async also(client) {
      for (const { id } of nights) {
        const slot = await lockSlot(client, id)
        if ((await openRunOf(client, id)) !== undefined)
          throw new ConfigurationError(
            `rollback ${model.name}: ${slotTitle(slot)} is being computed: try again when it has ended`,
          )
        if (slot.published_run === null) continue
        await unpublishSlot(client, id, why)
        await notifyRecovery(client, context, slot, 'withdrawn', { by, reason: reason ?? null })
        // A file that is gone although this does not commit is published again from its second copy.
        const { file } = partitionPath(warehouse, 'scores', model.name, slot.partition)
        await keepSecond(file, supersededPath(warehouse, model.name, slot.partition, slot.published_run))
        await removeFile(file)
        copies.push(keptPath(warehouse, slot.published_run))
      }
    },
  })
  for (const copy of copies) await removeFile(copy)
  return { version: live.version, nights: nights.map(({ partition }) => partition) }
}

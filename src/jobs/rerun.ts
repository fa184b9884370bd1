import { type Database, transaction } from '../ledger/connection/database.ts'
import { announceRequest } from '../ledger/connection/notifications.ts'
import { settleInstant } from '../ledger/nights/ensure-slot.ts'
import { bringForward } from '../ledger/nights/run-facts.ts'
import { openRunOf, type Run } from '../ledger/nights/run-records.ts'
import { createRun } from '../ledger/nights/run-transitions.ts'
import { lockSlot } from '../ledger/nights/slots.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Project } from '../project/project.ts'
import { parseAsOf } from '../project/time/asof.ts'
import { settingsFor } from './request-run.ts'

/**
 * Starts a new run of the slot of a failed or held run; what waits for it follows automatically. A run that waits, for data or for
 * its next attempt, goes on at once. Throws a ConfigurationError if there is nothing to re-run, stating what is published instead.
 * @returns the id of the run that works on it now
 */
export async function rerun(
  database: Database,
  project: Project,
  run: Run,
  by: string | null,
): Promise<string> {
  return transaction(database, async (client) => {
    const slot = await lockSlot(client, run.slot)
    const open = await openRunOf(client, slot.id)
    // It waits, or looks for its data at this moment.
    if (open?.id === run.id && (open.next_attempt_at !== null || open.waiting_since !== null)) {
      await bringForward(client, open.id)
      await announceRequest(client)
      return open.id
    }
    if (open !== undefined) {
      throw new ConfigurationError(
        `run ${run.id} cannot be retried: run ${open.id} of ${run.name} ${run.partition} is ${open.state}`,
      )
    }
    if (slot.run !== run.id) {
      throw new ConfigurationError(
        `run ${run.id} was followed by run ${slot.run}, which is now the latest: nightshift show ${slot.run}`,
      )
    }
    if (run.state === 'published') {
      const command = run.kind === 'scores' ? 'run' : 'refresh'
      throw new ConfigurationError(
        `run ${run.id} is published; there is nothing to retry: nightshift ${command} ${run.name} --as-of ${run.partition} --force recomputes it`,
      )
    }
    await announceRequest(client)
    const asOf = parseAsOf(slot.partition, project.timezone)
    return createRun(client, await settleInstant(client, slot, asOf), {
      trigger: 'retry',
      forced: run.forced,
      // If the run did not pin a version, the current champion scores it.
      version: run.pinned ? run.version : null,
      backfill: run.backfill,
      settings: settingsFor(project, run.kind, run.name),
      by,
    })
  })
}

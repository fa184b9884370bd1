import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { announceRequest } from '../../ledger/connection/notifications.ts'
import type { RunSettings } from '../../ledger/nights/run-request.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { takenNights } from './backfill-slots.ts'
import type { BackfillMode, BackfillPlan } from './plan-backfill.ts'

export interface BackfillStart {
  mode: BackfillMode
  maxActive: number
  settings: RunSettings
  by: string | null
}

/**
 * Writes a plan's nights into the ledger; feed-backfills.ts requests them from there. Nights that another backfill of
 * the model has taken since the plan was made are left out.
 * @returns the backfill's number; undefined if no night is left
 */
export async function startBackfill(
  database: Database,
  plan: BackfillPlan,
  asOfs: AsOf[],
  how: BackfillStart,
): Promise<number | undefined> {
  const instants = new Map(asOfs.map((asOf) => [asOf.label, asOf.instant]))
  const views = new Map(plan.refresh.map((each) => [each.as_of, each.view]))
  return transaction(database, async (client) => {
    await lockModel(client, plan.name)
    const taken = await takenNights(client, plan.name)
    const nights = plan.slots
      .filter((step) => step.action === 'run' && taken[step.as_of] === undefined)
      .map((step, position) => ({
        position,
        as_of: instants.get(step.as_of),
        partition: step.as_of,
        version: step.version,
        refresh: views.get(step.as_of) ?? null,
      }))
    if (nights.length === 0) return undefined
    const { rows } = await client.query<{ id: number }>(
      `insert into nightshift.backfills (model, mode, max_active, forced, settings, by)
       values ($1, $2, $3, $4, $5, $6) returning id`,
      [plan.name, how.mode, how.maxActive, how.mode === 'all', JSON.stringify(how.settings), how.by],
    )
    const id = rows[0]?.id ?? 0
    await client.query(
      `insert into nightshift.backfill_nights (backfill, position, as_of, partition, version, refresh)
       select $1, n.* from jsonb_to_recordset($2) as n(position int, as_of timestamptz, partition text, version int, refresh text)`,
      [id, JSON.stringify(nights)],
    )
    await announceRequest(client)
    return id
  })
}

/** One start per model at a time: two concurrent starts would both take the free nights. */
async function lockModel(client: ClientBase, model: string): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('nightshift.backfills'), hashtext($1))`, [model])
}

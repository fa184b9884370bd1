import { type Database, transaction } from '../../database/database.ts'
import type { AsOf } from '../../project/asof.ts'
import type { RunSettings } from '../runs.ts'
import type { BackfillPlan } from './plan.ts'

export interface BackfillStart {
  maxActive: number
  forced: boolean
  settings: RunSettings
  by: string | null
}

/** Writes a plan's nights into the ledger, from where they are fed (feed.ts). @returns the backfill's number */
export async function startBackfill(
  database: Database,
  plan: BackfillPlan,
  asOfs: AsOf[],
  how: BackfillStart,
): Promise<number> {
  const instants = new Map(asOfs.map((asOf) => [asOf.label, asOf.instant]))
  const views = new Map(plan.refresh.map((each) => [each.as_of, each.view]))
  const nights = plan.slots
    .filter((step) => step.action === 'run')
    .map((step, position) => ({
      position,
      as_of: instants.get(step.as_of),
      partition: step.as_of,
      version: step.version,
      refresh: views.get(step.as_of) ?? null,
    }))
  return transaction(database, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `insert into nightshift.backfills (model, max_active, forced, settings, by) values ($1, $2, $3, $4, $5) returning id`,
      [plan.name, how.maxActive, how.forced, JSON.stringify(how.settings), how.by],
    )
    const id = Number(rows[0]?.id)
    await client.query(
      `insert into nightshift.backfill_nights (backfill, position, as_of, partition, version, refresh)
       select $1, n.* from jsonb_to_recordset($2) as n(position int, as_of timestamptz, partition text, version int, refresh text)`,
      [id, JSON.stringify(nights)],
    )
    return id
  })
}

export interface BackfillProgress {
  state: 'running' | 'paused' | 'done' | 'cancelled'
  total: number
  published: number
  /** Labels of nights that failed or are held, or whose features are. */
  broken: string[]
  /** Runs that work now. */
  active: string[]
}

export async function backfillProgress(database: Database, id: number): Promise<BackfillProgress> {
  const { rows } = await database.pool.query<{
    state: BackfillProgress['state']
    partition: string
    slot_state: string | null
    run: string | null
    run_backfill: string | null
  }>(
    `select b.state, n.partition, s.state as slot_state, s.run, r.backfill as run_backfill
       from nightshift.backfills b
       join nightshift.backfill_nights n on n.backfill = b.id
       left join nightshift.slots s on s.id = n.slot
       left join nightshift.runs r on r.id = s.run
      where b.id = $1 order by n.position`,
    [id],
  )
  const asked = rows.filter((row) => row.slot_state !== null)
  return {
    state: rows[0]?.state ?? 'done',
    total: rows.length,
    published: asked.filter((row) => row.slot_state === 'published').length,
    broken:
      rows[0]?.state === 'running'
        ? asked
            .filter((row) => row.slot_state === 'failed' || row.slot_state === 'held')
            .map((row) => row.partition)
        : rows.filter((row) => row.slot_state !== 'published').map((row) => row.partition),
    active: asked.flatMap((row) => (row.slot_state === 'running' && row.run !== null ? [row.run] : [])),
  }
}

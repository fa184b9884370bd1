import type { Pool } from 'pg'
import { type Connection, listSlots } from '../../ledger/nights/slots.ts'
import type { BackfillSlot, NightAsOf, PastRun } from './plan-backfill.ts'

/** The slots of a view or model among these as-ofs, with the published version; staleness is not determined. */
export async function loadBackfillSlots(
  pool: Pool,
  kind: 'features' | 'scores',
  name: string,
  asOfs: NightAsOf[],
): Promise<BackfillSlot[]> {
  const slots = await listSlots(pool, { kind, name, partitions: asOfs.map(({ label }) => label) })
  const { rows } = await pool.query<{ id: string; version: number | null }>(
    'select id, version from nightshift.runs where id = any($1)',
    [slots.map((slot) => slot.published_run).filter((run) => run !== null)],
  )
  const versions = new Map(rows.map((row) => [row.id, row.version]))
  return slots.map((slot) => ({
    ...slot,
    version: versions.get(slot.published_run ?? '') ?? null,
    stale: undefined,
  }))
}

/**
 * Nights of a model that are already taken, by label, with the reason: a backfill that has yet to run them, or a
 * request that waits for its features.
 */
export async function takenNights(connection: Connection, model: string): Promise<Record<string, string>> {
  const { rows } = await connection.query<{
    partition: string
    backfill: string | null
    state: string | null
  }>(
    `select n.partition, b.id as backfill, b.state
       from nightshift.backfills b join nightshift.backfill_nights n on n.backfill = b.id
      where b.model = $1 and b.state in ('running', 'paused') and n.outcome is null
     union all
     select s.partition, null, null from nightshift.slots s
      where s.kind = 'scores' and s.name = $1 and s.request is not null and s.request->>'backfill' is null`,
    [model],
  )
  return Object.fromEntries(
    rows.map(({ partition, backfill, state }) => [
      partition,
      backfill === null ? ASKED : describeOwner(backfill, state),
    ]),
  )
}

const ASKED = 'it has been requested and waits for its features'

function describeOwner(backfill: string, state: string | null): string {
  return state === 'paused'
    ? `backfill ${backfill} has it and is paused: nightshift resume ${backfill}, or cancel ${backfill}`
    : `backfill ${backfill} runs it`
}

/** The last published runs of a view or model: the basis of an estimate. */
export async function loadPastRuns(
  pool: Pool,
  kind: 'features' | 'scores',
  names: string[],
): Promise<PastRun[]> {
  const { rows } = await pool.query<{ seconds: number; rows: number }>(
    `select extract(epoch from ended_at - started_at)::float8 as seconds, rows from nightshift.runs
      where kind = $1 and name = any($2) and state = 'published' and started_at is not null
      order by created_at desc limit 20`,
    [kind, names],
  )
  return rows
}

import type { Pool } from 'pg'
import type { AsOf } from '../../project/asof.ts'
import { listSlots } from '../slots.ts'
import type { BackfillSlot, PastRun } from './plan.ts'

/** The slots of a view or model among these as-ofs, with the version that stands. */
export async function loadBackfillSlots(
  pool: Pool,
  kind: 'features' | 'scores',
  name: string,
  asOfs: AsOf[],
): Promise<BackfillSlot[]> {
  const instants = asOfs.map((asOf) => Date.parse(asOf.instant))
  const wanted = new Set(instants)
  const slots = await listSlots(pool, {
    kind,
    name,
    from: new Date(Math.min(...instants)).toISOString(),
    to: new Date(Math.max(...instants)).toISOString(),
  })
  const { rows } = await pool.query<{ id: string; version: number | null }>(
    'select id, version from nightshift.runs where id = any($1)',
    [slots.map((slot) => slot.published_run).filter((run) => run !== null)],
  )
  const versions = new Map(rows.map((row) => [row.id, row.version]))
  return slots
    .filter((slot) => wanted.has(Date.parse(slot.as_of)))
    .map((slot) => ({ ...slot, version: versions.get(slot.published_run ?? '') ?? null, stale: undefined }))
}

/** The last published runs of a view or model: what an estimate is made from. */
export async function loadPastRuns(
  pool: Pool,
  kind: 'features' | 'scores',
  names: string[],
): Promise<PastRun[]> {
  const { rows } = await pool.query<{ seconds: number; rows: string }>(
    `select extract(epoch from ended_at - started_at)::float8 as seconds, rows from nightshift.runs
      where kind = $1 and name = any($2) and state = 'published' and started_at is not null
      order by created_at desc limit 20`,
    [kind, names],
  )
  return rows.map((row) => ({ seconds: row.seconds, rows: Number(row.rows) }))
}

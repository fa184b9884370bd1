import type { Pool } from 'pg'

/** Records when a schedule was first seen, by the ledger's clock, and its definition. */
export async function seeSchedule(
  pool: Pool,
  name: string,
  { firstSeen, definition, at }: { firstSeen: string; definition: unknown; at: string },
): Promise<void> {
  await pool.query(
    `insert into nightshift.schedules (name, first_seen_at, definition, seen_at) values ($1, $2, $3, $4)
     on conflict (name) do update set definition = $3, seen_at = greatest(nightshift.schedules.seen_at, $4)`,
    [name, firstSeen, JSON.stringify(definition), at],
  )
}

export async function forgetSchedule(pool: Pool, name: string): Promise<void> {
  await pool.query('delete from nightshift.schedules where name = $1', [name])
}

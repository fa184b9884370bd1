import type { Pool } from 'pg'
import { dateOf } from '../../ledger/connection/value-types.ts'

const DUE = `
select min(at) as at from (
  select min(due_at) as at from nightshift.incident_readers where due_at > now()
  union all select min(due_at) from nightshift.outbox where sent_at is null and gave_up_at is null and due_at > now()
  union all select min(next_at) from nightshift.monitor_tries where next_at > now()
  union all select min(look_at) from nightshift.outcomes where look_at > now()
  union all select min(until) from nightshift.mutes where until > now()) d`

/** The next time at which something is due beside slots, attempts and deadlines. */
export async function nextDue(pool: Pool): Promise<Date | undefined> {
  const { rows } = await pool.query<{ at: string | null }>(DUE)
  return dateOf(rows[0]?.at ?? null)
}

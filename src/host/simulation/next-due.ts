import type { Pool } from 'pg'
import { mailsAhead } from '../../alerts/delivery/send-due-mails.ts'
import { dateOf } from '../../ledger/connection/value-types.ts'

const DUE = `
select min(at) as at from (
  ${mailsAhead('now()')}
  union all select min(next_at) from nightshift.monitor_tries where next_at > now()
  union all select min(look_at) from nightshift.outcomes where look_at > now()
  union all select min(until) from nightshift.mutes where until > now()) d`

/** The next time at which something is due beside slots, attempts and deadlines. */
export async function nextDue(pool: Pool): Promise<Date | undefined> {
  const { rows } = await pool.query<{ at: string | null }>(DUE)
  return dateOf(rows[0]?.at ?? null)
}

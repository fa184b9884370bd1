import type { Pool } from 'pg'
import type { Failure } from '../pipeline/engine/failure.ts'

/** After so many tries a look at a night that fails by something passing is recorded as failed. */
const MOST = 5

/** Pauses double from a minute. Rows of looks that nobody asks for any more go along. */
const NOTE = `
with old as (delete from nightshift.monitor_tries where next_at < now() - interval '30 days')
insert into nightshift.monitor_tries as t (monitor, subject, tries, next_at)
values ($1, $2, 1, now() + interval '1 minute')
on conflict (monitor, subject) do update
   set tries = t.tries + 1, next_at = now() + interval '1 minute' * (2 ^ least(t.tries, 6))
returning tries`

/**
 * Whether a look at a night that failed is tried again, and notes the try: it is where the cause may pass (class
 * `transient`), at most five times, a minute apart at first. A look that was only interrupted is not counted.
 */
export async function triesAgain(
  pool: Pool,
  monitor: 'parity' | 'monitor' | 'shadow',
  subject: string,
  failure: Failure,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (failure.failureClass !== 'transient') return false
  if (signal?.aborted === true || failure.evidence.closing === true) return true
  const { rows } = await pool.query<{ tries: number }>(NOTE, [monitor, subject])
  return (rows[0]?.tries ?? 0) < MOST
}

/** Whether somebody should know that a night was not looked at: its child was ended, or every try has failed. */
export function isToldOf(failure: Failure): boolean {
  return (
    failure.evidence.ended !== undefined ||
    failure.failureClass === 'transient' ||
    failure.failureClass === 'bug'
  )
}

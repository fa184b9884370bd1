import type { Pool } from 'pg'
import type { Failure } from '../pipeline/engine/failure.ts'

/** Number of tries after which a check with a transient failure is recorded as failed. */
const MOST = 5

/** Delays double, starting at one minute. Rows of checks that are no longer requested are deleted too. */
const NOTE = `
with old as (delete from nightshift.monitor_tries where next_at < now() - interval '30 days')
insert into nightshift.monitor_tries as t (monitor, subject, tries, next_at)
values ($1, $2, 1, now() + interval '1 minute')
on conflict (monitor, subject) do update
   set tries = t.tries + 1, next_at = now() + interval '1 minute' * (2 ^ least(t.tries, 6))
returning tries`

/**
 * Decides whether a failed check of a night is retried, and records the try: it is if the cause may be temporary
 * (class `transient`), at most five times, starting a minute apart. An interrupted check is not counted.
 */
export async function triesAgain(
  pool: Pool,
  monitor: 'parity' | 'monitor' | 'shadow' | 'comparison',
  subject: string,
  failure: Failure,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (failure.failureClass !== 'transient') return false
  if (signal?.aborted === true || failure.evidence.closing === true) return true
  const { rows } = await pool.query<{ tries: number }>(NOTE, [monitor, subject])
  return (rows[0]?.tries ?? 0) < MOST
}

/** Whether an unchecked night is reported: its child was killed, or every try failed. */
export function isReported(failure: Failure): boolean {
  return (
    failure.evidence.ended !== undefined ||
    failure.failureClass === 'transient' ||
    failure.failureClass === 'bug'
  )
}

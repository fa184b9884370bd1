import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { newRunId } from '../ledger/nights/run-records.ts'
import { classify } from '../pipeline/engine/classify.ts'
import type { Failure } from '../pipeline/engine/failure.ts'
import { attemptFolder } from '../pipeline/partition/partition-files.ts'

/** Runs the work of a check in a folder of its own, which is removed afterwards. `temp` in it is for DuckDB. */
export async function inOwnFolder<T>(
  warehouse: string,
  check: 'monitor' | 'shadow' | 'current' | 'compare' | 'realize' | 'outcome' | 'trial',
  work: (folder: string, temp: string) => Promise<T>,
): Promise<T> {
  const folder = attemptFolder(warehouse, `${check}-${newRunId()}`)
  const temp = join(folder, 'tmp')
  try {
    await mkdir(temp, { recursive: true })
    return await work(folder, temp)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

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
 * The failure of a check that is to be recorded. Throws the error if the check is retried, and counts the try: it is retried
 * if the cause may be temporary (class `transient`), at most five times, starting a minute apart. An interrupted check
 * is not counted.
 */
export async function finalFailure(
  pool: Pool,
  monitor: 'parity' | 'monitor' | 'shadow' | 'comparison',
  subject: string,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<Failure> {
  const failure = classify(error)
  if (await triesAgain(pool, monitor, subject, failure, signal)) throw error
  return failure
}

async function triesAgain(
  pool: Pool,
  monitor: string,
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

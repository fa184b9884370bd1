import type { Pool } from 'pg'

/**
 * Runs while this process holds a lock of the ledger, or without it: `mine` states which. The lock is released when
 * the process ends, however it ends.
 */
export async function withTriedLock<T>(
  pool: Pool,
  [kind, name]: [kind: string, name: string],
  work: (mine: boolean) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ mine: boolean }>(
      'select pg_try_advisory_lock(hashtext($1), hashtext($2)) as mine',
      [kind, name],
    )
    return await work(rows[0]?.mine === true)
  } finally {
    // A lost connection has already released its lock.
    await client.query('select pg_advisory_unlock_all()').catch(() => {})
    client.release()
  }
}

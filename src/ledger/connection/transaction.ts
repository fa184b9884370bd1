import type pg from 'pg'

/**
 * Runs `fn` between BEGIN and COMMIT on one client of the pool, and returns its result. An error rolls back and is
 * rethrown. A client whose ROLLBACK fails (its connection is lost, so nothing was committed) is discarded.
 */
export async function transaction<T>(
  db: { pool: pg.Pool },
  fn: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await db.pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    try {
      const result = await fn(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch((failure: unknown) => {
        broken = failure instanceof Error ? failure : new Error(String(failure))
      })
      throw error
    }
  } finally {
    client.release(broken)
  }
}

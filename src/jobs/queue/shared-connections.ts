import type { createPostgresBackend } from 'bullmq'
import type { Pool } from 'pg'
import { createBackend } from './postgres-clock.ts'

/**
 * Backends whose statements go through one pool, which outlives them. BullMQ takes a pool too, but then expects its tables
 * in a schema of its own name, and takes the connection on which a worker listens out of it.
 */
export function sharing(pool: Pool): typeof createPostgresBackend {
  return (...given) => {
    const backend = createBackend(...given)
    const { connection } = backend
    if (!('ownsPool' in connection)) throw new Error("expected BullMQ's connection to say whose its pool is")
    // Its own pool has no connection yet, and so nothing to close.
    Object.assign(connection, { pool, ownsPool: false })
    return backend
  }
}

import { closeSync, fchownSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'

const LIMIT_BYTES = 4_000_000

export function serverLogFile(cluster: string): string {
  return join(cluster, 'server.log')
}

/**
 * Passes an open `server.log` to `use`, for the output of a process that outlives us. It belongs to the server's
 * user, so that a plain user can still write to it after root has started the server once.
 */
export function withServerLog<T>(
  cluster: string,
  user: { uid: number; gid: number } | undefined,
  use: (log: number) => T,
): T {
  const log = openSync(serverLogFile(cluster), 'a', 0o600)
  try {
    if (user !== undefined) fchownSync(log, user.uid, user.gid)
    if (fstatSync(log).size > LIMIT_BYTES) ftruncateSync(log)
    return use(log)
  } finally {
    closeSync(log)
  }
}

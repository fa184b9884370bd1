import { ConfigurationError } from '../../project/files/problem.ts'
import { isLoopback } from '../../project/loopback.ts'
import type { Users } from './users.ts'

/** Throws a ConfigurationError if a non-loopback address has no users. */
export function mayListen(host: string, users: Users): void {
  if (isLoopback(host) || users().size > 0) return
  throw new ConfigurationError(
    `--host: expected a loopback address such as 127.0.0.1 while there are no users, got: ${host}; ` +
      'add one first: nightshift user add NAME --role operator (or set NIGHTSHIFT_USERS)',
  )
}

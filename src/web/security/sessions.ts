import { createHash, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import type { Viewer } from '../page-context.ts'
import type { User } from './users.ts'

/** A session ends after this time without a request, and in any case after seven days. */
const IDLE = '12 hours'
const LONGEST = '7 days'

/** Starts a session and returns its token, which only the cookie contains: the ledger stores its hash. */
export async function beginSession(pool: Pool, user: User): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await pool.query(
    `delete from nightshift.sessions where expires_at < clock_timestamp() or seen_at < clock_timestamp() - $1::interval`,
    [IDLE],
  )
  await pool.query(
    `insert into nightshift.sessions (token_hash, name, credential, csrf, created_at, seen_at, expires_at)
     values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp(), clock_timestamp() + $5::interval)`,
    [hashOf(token), user.name, hashOf(user.hash), randomBytes(32).toString('base64url'), LONGEST],
  )
  return token
}

/**
 * The user of a token, if its session is still valid: it is not if the user was removed or the password was changed. The
 * role is the user's current one.
 */
export async function findSession(
  pool: Pool,
  token: string,
  users: ReadonlyMap<string, User>,
): Promise<Viewer | undefined> {
  const { rows } = await pool.query<{ name: string; credential: string; csrf: string; stale: boolean }>(
    `select name, credential, csrf, seen_at < clock_timestamp() - interval '1 minute' as stale
       from nightshift.sessions
      where token_hash = $1 and expires_at > clock_timestamp() and seen_at > clock_timestamp() - $2::interval`,
    [hashOf(token), IDLE],
  )
  const [session] = rows
  const user = session && users.get(session.name)
  if (session === undefined || user === undefined || hashOf(user.hash) !== session.credential)
    return undefined
  // At most one write per minute, not one per page.
  if (session.stale) {
    await pool.query('update nightshift.sessions set seen_at = clock_timestamp() where token_hash = $1', [
      hashOf(token),
    ])
  }
  const operators = [...users.values()].flatMap(({ name, role }) => (role === 'operator' ? name : []))
  return { name: user.name, role: user.role, csrf: session.csrf, operators }
}

export async function endSession(pool: Pool, token: string): Promise<void> {
  await pool.query('delete from nightshift.sessions where token_hash = $1', [hashOf(token)])
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

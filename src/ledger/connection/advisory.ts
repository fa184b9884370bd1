/**
 * The advisory locks through which processes coordinate, as the two integers that PostgreSQL takes. The first is ours
 * ("nigh" in ASCII), so that they do not collide with other locks in a shared database.
 */
const SPACE = 0x6e696768

/** Held shared by every process that uses the embedded server; exclusively by the keeper when it stops the server. */
export const USERS_LOCK = `${SPACE}, 1`
/** Held by the single keeper of the embedded server. */
export const KEEPER_LOCK = `${SPACE}, 2`
/** Held while migrations are applied. */
export const MIGRATIONS_LOCK = `${SPACE}, 3`

/** SQL expression: whether the lock is held in this database. Does not take the lock. */
export function isHeld(lock: string): string {
  const [space, key] = lock.split(', ')
  return `exists (
    select from pg_locks
    where locktype = 'advisory' and classid = ${space} and objid = ${key} and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database()))`
}

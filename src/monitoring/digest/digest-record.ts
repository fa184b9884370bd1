import type { ClientBase, Pool } from 'pg'

/** Records that the digest of a tick is being mailed; false: it was mailed before. The caller's transaction holds the mails. */
export async function recordDigest(client: ClientBase, due: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'insert into nightshift.digests (due_at) values ($1) on conflict do nothing',
    [due],
  )
  return rowCount === 1
}

/** When the last digest before an instant was due, in milliseconds since 1970; undefined if there was none. */
export async function lastDigest(connection: ClientBase | Pool, before: string): Promise<number | undefined> {
  const { rows } = await connection.query<{ at: string | null }>(
    'select max(due_at) as at from nightshift.digests where due_at < $1',
    [before],
  )
  const at = rows[0]?.at
  return at == null ? undefined : Date.parse(at)
}

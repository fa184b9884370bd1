import type { ClientBase, Pool } from 'pg'
import { renameViewHash } from '../ledger/nights/run-facts.ts'
import type { Identity } from '../pipeline/engine/facts.ts'

/** Whether a hash stored in a ledger or a training set identifies the current definition. */
export function isSameView(named: string | null, { viewHash, formerHash }: Identity): boolean {
  return named === viewHash || (named !== null && named === formerHash)
}

/**
 * Replaces a definition's hash recorded by earlier builds with its current hash, once: for versions, and for
 * published nights unless a run would now compute them differently (`movedDates`). Training sets keep theirs: see
 * `currentHash`.
 */
export async function adoptIdentity(
  client: ClientBase,
  { viewHash, formerHash, movedDates }: Identity & { movedDates: boolean },
): Promise<void> {
  if (formerHash === null || viewHash === '') return
  const { rowCount } = await client.query(
    'insert into nightshift.former_view_hashes (former, hash) values ($1, $2) on conflict do nothing',
    [formerHash, viewHash],
  )
  if (rowCount === 0) return
  await client.query('update nightshift.versions set view_hash = $2 where view_hash = $1', [
    formerHash,
    viewHash,
  ])
  if (movedDates) return
  await renameViewHash(client, formerHash, viewHash)
}

/** The current hash of a definition named by a training set or file of an earlier build. */
export async function currentHash(connection: ClientBase | Pool, named: string): Promise<string> {
  const { rows } = await connection.query<{ hash: string }>(
    'select hash from nightshift.former_view_hashes where former = $1',
    [named],
  )
  return rows[0]?.hash ?? named
}

import type { ClientBase, Pool } from 'pg'
import type { Author } from '../ledger/identity/author.ts'

/** Somebody other than the owner has taken a model over. Time: ISO 8601 in UTC, by the ledger's clock. */
export interface Acceptance extends Author {
  /** The version that was there then; null: none. */
  version: number | null
  /** The owner at that time. */
  owner: string
  by: string
  at: string
}

export async function recordAcceptance(
  connection: ClientBase | Pool,
  model: string,
  { version, owner, by, os_user, host }: Omit<Acceptance, 'at'>,
): Promise<void> {
  await connection.query(
    `insert into nightshift.acceptances (model, version, owner, by, os_user, host) values ($1, $2, $3, $4, $5, $6)`,
    [model, version, owner, by, os_user, host],
  )
}

export async function latestAcceptance(
  connection: ClientBase | Pool,
  model: string,
): Promise<Acceptance | undefined> {
  const { rows } = await connection.query<Omit<Acceptance, 'at'> & { at: Date }>(
    `select version, owner, by, os_user, host, at from nightshift.acceptances
      where model = $1 order by id desc limit 1`,
    [model],
  )
  const [row] = rows
  return row && { ...row, at: row.at.toISOString() }
}

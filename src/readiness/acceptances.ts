import { createHash } from 'node:crypto'
import type { ClientBase, Pool } from 'pg'
import type { Author } from '../ledger/identity/author.ts'
import type { Model } from '../project/project.ts'

/** Somebody other than the owner has taken a model over. Time: ISO 8601 in UTC, by the ledger's clock. */
export interface Acceptance extends Author {
  /** The version that was there then; null: none. */
  version: number | null
  /** The owner at that time. */
  owner: string
  /** What was accepted, see `chargeOf`; null: it was not recorded then. */
  charge: string | null
  by: string
  at: string
}

/** SHA-256 of who answers for a model and who reads it. An acceptance holds for these people and for no others. */
export function chargeOf({ owner, on_call, consumers }: Model): string {
  const plain = (names: string[]) => names.map((each) => each.trim().toLowerCase()).sort()
  const charge = [plain([owner]), plain(on_call), plain(consumers)]
  return createHash('sha256').update(JSON.stringify(charge)).digest('hex')
}

export async function recordAcceptance(
  connection: ClientBase | Pool,
  model: string,
  { version, owner, charge, by, os_user, host }: Omit<Acceptance, 'at'>,
): Promise<void> {
  await connection.query(
    `insert into nightshift.acceptances (model, version, owner, charge, by, os_user, host)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [model, version, owner, charge, by, os_user, host],
  )
}

/** The acceptances of a model, newest first. */
export async function acceptancesOf(
  connection: ClientBase | Pool,
  model: string,
  limit = 10,
): Promise<Acceptance[]> {
  const { rows } = await connection.query<Acceptance>(
    `select version, owner, charge, by, os_user, host, at from nightshift.acceptances
      where model = $1 order by id desc limit $2`,
    [model, limit],
  )
  return rows
}

export async function latestAcceptance(
  connection: ClientBase | Pool,
  model: string,
): Promise<Acceptance | undefined> {
  const [newest] = await acceptancesOf(connection, model, 1)
  return newest
}

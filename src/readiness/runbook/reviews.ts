import type { ClientBase, Pool } from 'pg'
import type { Author } from '../../ledger/identity/author.ts'

/** Somebody has read a model's runbook as it was then. Time: ISO 8601 in UTC, by the ledger's clock. */
export interface RunbookReview extends Author {
  model: string
  by: string
  sha256: string
  at: string
}

export async function recordReview(
  connection: ClientBase | Pool,
  { model, sha256, by, os_user, host }: Omit<RunbookReview, 'at'>,
): Promise<void> {
  await connection.query(
    'insert into nightshift.runbook_reviews (model, sha256, by, os_user, host) values ($1, $2, $3, $4, $5)',
    [model, sha256, by, os_user, host],
  )
}

/** The newest review of a model's runbook, of whatever content. */
export async function latestReview(
  connection: ClientBase | Pool,
  model: string,
): Promise<RunbookReview | undefined> {
  const { rows } = await connection.query<RunbookReview>(
    `select model, sha256, by, os_user, host, at from nightshift.runbook_reviews
      where model = $1 order by id desc limit 1`,
    [model],
  )
  return rows[0]
}

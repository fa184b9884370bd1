import type { ClientBase, Pool } from 'pg'
import type { Author } from '../ledger/identity/author.ts'
import { ITEM_IDS, type ItemId } from './item.ts'

/** An item that a person excuses until a date. It never counts as a pass. Times are ISO 8601 in UTC. */
export interface Waiver extends Author {
  item: ItemId
  /** The last day on which it holds, in the project's zone: YYYY-MM-DD. */
  until: string
  reason: string
  by: string
  at: string
}

/** A waiver may reach this many days ahead. */
export const LONGEST_WAIVER_DAYS = 90

export async function recordWaiver(
  connection: ClientBase | Pool,
  model: string,
  { item, until, reason, by, os_user, host }: Omit<Waiver, 'at'>,
): Promise<void> {
  await connection.query(
    `insert into nightshift.waivers (model, item, until, reason, by, os_user, host)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [model, item, until, reason, by, os_user, host],
  )
}

/** The newest waiver of each item of a model, ended ones included. */
export async function waiversOf(connection: ClientBase | Pool, model: string): Promise<Waiver[]> {
  const { rows } = await connection.query<Waiver>(
    `select distinct on (item) item, until::text as until, reason, by, os_user, host, at
       from nightshift.waivers where model = $1 order by item, id desc`,
    [model],
  )
  return rows.filter(({ item }) => ITEM_IDS.includes(item))
}

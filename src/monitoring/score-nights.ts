import type { ClientBase, Pool } from 'pg'
import type { NightProfile } from './drift/record.ts'

/** The scores of one night: the part of its profile that a page over many nights shows. */
export interface ScoreNight {
  run: string
  partition: string
  version: number
  backfilled: boolean
  reference: string | null
  note: string | null
  estimate: NightProfile['estimate']
  /** At QUANTILES; null if there are no scores. */
  quantiles: number[] | null
  mean: number | null
}

const NIGHTS = `
select p.run, p.partition, p.version, p.backfilled, p.reference, p.note, p.estimate,
       nullif(p.score_quantiles, 'null') as quantiles, p.score_mean as mean
  from nightshift.profiles p
  join nightshift.slots s on s.kind = 'scores' and s.name = p.model and s.partition = p.partition and s.published_run = p.run
 where p.model = $1 and p.as_of >= $2 and p.as_of <= $3
 order by p.as_of`

/**
 * The scores of a model's published nights, oldest first; `from` and `to` are instants, both inclusive. The rest of
 * the profiles (about 50 kB a night) is not loaded.
 */
export async function scoreNights(
  connection: ClientBase | Pool,
  model: string,
  { from, to }: { from: string; to: string },
): Promise<ScoreNight[]> {
  const { rows } = await connection.query<ScoreNight>(NIGHTS, [model, from, to])
  return rows
}

const UNPROFILED = `
select s.partition from nightshift.slots s
 where s.kind = 'scores' and s.name = $1 and s.as_of >= $2 and s.published_run is not null
   and not exists (select from nightshift.profiles p
                    where p.model = s.name and p.partition = s.partition and p.run = s.published_run)
 order by s.as_of desc limit 1`

/**
 * The newest published night since an instant whose scores have no profile yet. A worker makes it by itself; a command that runs
 * without one leaves it open.
 */
export async function unprofiledNight(
  connection: ClientBase | Pool,
  model: string,
  since: string,
): Promise<string | undefined> {
  const { rows } = await connection.query<{ partition: string }>(UNPROFILED, [model, since])
  return rows[0]?.partition
}

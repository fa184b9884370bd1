import type { ClientBase, Pool } from 'pg'

/** What a version has scored in shadow. Times are ISO 8601 in UTC. */
export interface ShadowNights {
  version: number
  /** A `challenger` scores in addition to the champion; a `warm` version was champion before. */
  role: 'warm' | 'challenger'
  nights: number
  failed: number
  first: string
  last: string
  /** Names of the first and last partition. */
  partitions: { first: string; last: string }
}

type ShadowRow = Omit<ShadowNights, 'partitions'> & {
  first_partition: string
  last_partition: string
}

/** Shadow nights of a model's versions, by version and role. */
export async function shadowNights(connection: ClientBase | Pool, model: string): Promise<ShadowNights[]> {
  const { rows } = await connection.query<ShadowRow>(
    `select version, role, count(*)::int as nights, count(failure)::int as failed,
            min(as_of) as first, max(as_of) as last, min(partition) as first_partition, max(partition) as last_partition
       from nightshift.shadow_scores where model = $1 group by version, role order by version desc, role`,
    [model],
  )
  return rows.map(({ first_partition, last_partition, ...row }) => ({
    ...row,
    partitions: { first: first_partition, last: last_partition },
  }))
}

import type { ClientBase, Pool } from 'pg'

/** The result of one parity check, stored with the run whose partition was checked. */
export interface Certificate {
  id: number
  run: string
  view: string
  partition: string
  /** `recomputed`, `dataset <id>` or the path of a file. */
  against: string
  checked_at: string
  /** Null if it could not be checked: `report.failure` states the reason. */
  differing: number | null
  report: Record<string, unknown>
}

export async function recordCertificate(
  connection: ClientBase | Pool,
  certificate: Pick<Certificate, 'run' | 'view' | 'partition' | 'against' | 'differing' | 'report'> & {
    as_of: string
  },
): Promise<void> {
  const { run, view, as_of, partition, against, differing, report } = certificate
  await connection.query(
    `insert into nightshift.certificates (run, view, as_of, partition, against, differing, report, checked_at)
     values ($1, $2, $3, $4, $5, $6, $7, now())`,
    [run, view, as_of, partition, against, differing, JSON.stringify(report)],
  )
}

/** The newest recomputation of a run's partition, undefined if there is none. */
export async function certificateOf(
  connection: ClientBase | Pool,
  run: string,
): Promise<Certificate | undefined> {
  const { rows } = await connection.query<Certificate>(
    `select id, run, view, partition, against, checked_at, differing, report from nightshift.certificates
      where run = $1 and against = 'recomputed' order by id desc limit 1`,
    [run],
  )
  return rows[0]
}

/** Results of the newest recomputations of a view: the newest one, and how many of the last 30 were at parity. */
export async function certificatesOf(
  connection: ClientBase | Pool,
  view: string,
): Promise<
  | {
      newest: { partition: string; differing: number | null; checked_at: string }
      checked: number
      at_parity: number
    }
  | undefined
> {
  const { rows } = await connection.query<{
    partition: string
    differing: number | null
    checked_at: string
  }>(
    `select partition, differing, checked_at from nightshift.certificates
      where view = $1 and against = 'recomputed' order by as_of desc, id desc limit 30`,
    [view],
  )
  const [newest] = rows
  return (
    newest && {
      newest: {
        partition: newest.partition,
        differing: newest.differing,
        checked_at: newest.checked_at,
      },
      checked: rows.length,
      at_parity: rows.filter(({ differing }) => differing === 0).length,
    }
  )
}

/** The newest recomputation of each night of a view under one definition, newest night first. */
export async function newestCertificates(
  connection: ClientBase | Pool,
  view: string,
  viewHash: string,
  limit: number,
): Promise<Pick<Certificate, 'partition' | 'differing' | 'checked_at'>[]> {
  const { rows } = await connection.query<Pick<Certificate, 'partition' | 'differing' | 'checked_at'>>(
    `select partition, differing, checked_at from (
       select distinct on (c.partition) c.partition, c.as_of, c.differing, c.checked_at
         from nightshift.certificates c join nightshift.runs r on r.id = c.run
        where c.view = $1 and r.view_hash = $2 and c.against = 'recomputed'
        order by c.partition, c.id desc) newest
      order by as_of desc limit $3`,
    [view, viewHash, limit],
  )
  return rows
}

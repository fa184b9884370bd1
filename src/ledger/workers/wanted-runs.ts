import type { Pool } from 'pg'
import type { Kind } from '../nights/slots.ts'

/** Whether a run of one of these views or models is queued or at work. */
export async function hasRuns(pool: Pool, kind: Kind, names: string[]): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>(
    `select exists (select from nightshift.runs
       where state in ('queued', 'running') and kind = $1 and name = any($2)) as found`,
    [kind, names],
  )
  return rows[0]?.found === true
}

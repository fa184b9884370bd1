import { attemptId } from '../jobs/runs.ts'
import { sweepAttempts } from '../pipeline/publishing.ts'
import type { Context } from './context.ts'

/** Long enough for any attempt that the ledger does not know of yet. */
const OLD_MS = 60 * 60_000

/** Removes what dead workers left under `warehouse/.attempts/`: all but the files of open and held runs. */
export async function sweepLeftovers(context: Context): Promise<void> {
  const { rows } = await context.database.pool.query<{ run: string; number: number }>(
    `select a.run, a.number from nightshift.attempts a join nightshift.runs r on r.id = a.run
      where r.state in ('waiting', 'queued', 'running', 'publishing', 'held')`,
  )
  const alive = new Set(rows.map((row) => attemptId(row.run, row.number)))
  const swept = await sweepAttempts(context.warehouse, { alive, now: Date.now(), olderThanMs: OLD_MS })
  if (swept.length > 0) context.log.info({ swept }, 'removed what ended attempts left behind')
}

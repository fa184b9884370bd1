import { hostname } from 'node:os'
import type { Database } from '../database/database.ts'

export type ProcessRole = 'worker' | 'scheduler' | 'web' | 'command'

/** Seen within this long, a process is alive. */
const ALIVE_MS = 15_000
const BEAT_MS = 4_000

/** Says in the ledger, every few seconds, that this process lives. Returns its release. */
export async function beat(
  database: Database,
  process_: { id: string; role: ProcessRole; places: number },
): Promise<() => Promise<void>> {
  const say = () =>
    database.pool.query(
      `insert into nightshift.processes (id, role, host, pid, places) values ($1, $2, $3, $4, $5)
       on conflict (id) do update set seen_at = clock_timestamp()`,
      [process_.id, process_.role, hostname(), process.pid, process_.places],
    )
  await say()
  // A beat that fails is made up for by the next; the ledger being away is told by whoever needs it.
  const timer = setInterval(() => void say().catch(() => {}), BEAT_MS)
  return async () => {
    clearInterval(timer)
    await database.pool.query('delete from nightshift.processes where id = $1', [process_.id]).catch(() => {})
  }
}

/** Says that this process, which plans by the calendar, has just done so: `/readyz` asks for it. */
export async function sayReconciled({ pool }: Database, id: string): Promise<void> {
  await pool.query('update nightshift.processes set reconciled_at = clock_timestamp() where id = $1', [id])
}

/** True where some process that takes jobs has been seen within 15 s. */
export async function workerAlive(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query<{ alive: boolean }>(
    `select exists (select from nightshift.processes
       where places > 0 and seen_at > clock_timestamp() - make_interval(secs => $1)) as alive`,
    [ALIVE_MS / 1000],
  )
  return rows[0]?.alive === true
}

/** True where some process that stays has been seen within 15 s: one that plans and delivers mail in its own time. */
export async function hostAlive(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query<{ alive: boolean }>(
    `select exists (select from nightshift.processes
       where role <> 'command' and seen_at > clock_timestamp() - make_interval(secs => $1)) as alive`,
    [ALIVE_MS / 1000],
  )
  return rows[0]?.alive === true
}

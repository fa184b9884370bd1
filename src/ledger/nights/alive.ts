import { hostname } from 'node:os'
import type { Pool } from 'pg'
import type { Database } from '../connection/database.ts'
import type { Hands } from './hands.ts'

export type ProcessRole = 'worker' | 'scheduler' | 'web' | 'command'

/** Seen within this long, a process is alive. */
const ALIVE_MS = 15_000
/** A third of what the planner waits for (open-runs.ts) before it takes an attempt for lost, less a slow answer. */
const BEAT_MS = 2_500
/** Half of it is how wrong the clocks' difference may be. */
const LONGEST_ANSWER_MS = 2_000
/** After a beat that failed: the ledger is back before the planner looks at who is silent. */
const AGAIN_MS = 500

/**
 * Says in the ledger, every few seconds, that this process lives and which attempts it works on. Each attempt has its
 * own time, so a process that lives on does not speak for one that it has let go. Returns its release.
 */
export async function beat(
  database: Database,
  process_: { id: string; role: ProcessRole; places: number },
  { hands, onClock }: { hands?: Hands; onClock?: (aheadMs: number) => void } = {},
): Promise<() => Promise<void>> {
  let ahead: number | undefined
  const say = async () => {
    const held = hands?.list() ?? []
    const asked = Date.now()
    const { rows } = await database.pool.query<{ now: Date }>(
      `with named as (
         update nightshift.attempts a set seen_at = clock_timestamp()
           from unnest($6::text[], $7::int[]) as h (run, number)
          where a.run = h.run and a.number = h.number and (a.ended_at is null or a.outcome = 'published'))
       insert into nightshift.processes (id, role, host, pid, places, clock_ahead_ms) values ($1, $2, $3, $4, $5, $8)
       on conflict (id) do update set seen_at = clock_timestamp(), clock_ahead_ms = $8
       returning clock_timestamp() as now`,
      [
        process_.id,
        process_.role,
        hostname(),
        process.pid,
        process_.places,
        held.map(({ run }) => run),
        held.map(({ number }) => number),
        ahead ?? null,
      ],
    )
    ahead = aheadOf(asked, rows[0]?.now) ?? ahead
    if (ahead !== undefined) onClock?.(ahead)
  }
  await say()
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const goOn = (ms: number) => {
    if (closed) return
    timer = setTimeout(() => {
      // The ledger being away is told by whoever needs it.
      say().then(
        () => goOn(BEAT_MS),
        () => goOn(AGAIN_MS),
      )
    }, ms)
  }
  goOn(BEAT_MS)
  return async () => {
    closed = true
    clearTimeout(timer)
    await database.pool.query('delete from nightshift.processes where id = $1', [process_.id]).catch(() => {})
  }
}

/** How far this machine's clock is ahead of the ledger's; undefined where the answer took too long to say. */
export function aheadOf(asked: number, ledger: Date | undefined): number | undefined {
  const answered = Date.now()
  if (ledger === undefined || answered - asked > LONGEST_ANSWER_MS) return undefined
  return (asked + answered) / 2 - ledger.getTime()
}

/** Asks the ledger for the time; see `aheadOf`. */
export async function aheadOfLedger(pool: Pool): Promise<number | undefined> {
  const asked = Date.now()
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now')
  return aheadOf(asked, rows[0]?.now)
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

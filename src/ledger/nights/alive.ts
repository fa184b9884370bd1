import { hostname } from 'node:os'
import type { Pool } from 'pg'
import type { Database } from '../connection/database.ts'
import type { ActiveAttempts } from '../workers/active-attempts.ts'
import { livingWorkers, untaken } from '../workers/living-workers.ts'
import { ALIVE_MS, type ProcessRole } from '../workers/process-role.ts'
import type { Takes } from '../workers/takes.ts'

/** What a process says of itself. */
export interface OwnProcess {
  id: string
  role: ProcessRole
  places: number
  version?: string
  /** What its tasks may use together, in bytes. */
  memory?: number
  /** Asked for with every beat: a new version may read another view. */
  takes?: () => Takes
}
/** A third of the time after which the planner considers an attempt lost (open-runs.ts), minus a slow answer. */
const BEAT_MS = 2_500
/** Half of it is the maximum error of the measured clock difference. */
const LONGEST_ANSWER_MS = 2_000
/** Delay after a failed beat: short, so that live processes beat before the planner checks for silent ones. */
const AGAIN_MS = 500

/**
 * Records in the ledger, every few seconds, that this process is alive and which attempts it runs. Each attempt has
 * its own time, so that a live process does not keep a released attempt alive. Returns its release.
 */
export async function beat(
  database: Database,
  process_: OwnProcess,
  { activeAttempts, onClock }: { activeAttempts?: ActiveAttempts; onClock?: (aheadMs: number) => void } = {},
): Promise<() => Promise<void>> {
  let ahead: number | undefined
  const record = async () => {
    const held = activeAttempts?.list() ?? []
    const sentAt = Date.now()
    const { rows } = await database.pool.query<{ now: string }>(
      `with named as (
         update nightshift.attempts a set seen_at = clock_timestamp()
           from unnest($6::text[], $7::int[]) as h (run, number)
          where a.run = h.run and a.number = h.number and (a.ended_at is null or a.outcome = 'published'))
       insert into nightshift.processes (id, role, host, pid, places, clock_ahead_ms, version, memory, takes)
       values ($1, $2, $3, $4, $5, $8, $9, $10, $11)
       on conflict (id) do update set seen_at = clock_timestamp(), clock_ahead_ms = $8, takes = $11
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
        process_.version ?? null,
        process_.memory ?? null,
        process_.takes?.() ?? null,
      ],
    )
    ahead = aheadOf(sentAt, rows[0]?.now) ?? ahead
    if (ahead !== undefined) onClock?.(ahead)
  }
  await record()
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const goOn = (ms: number) => {
    if (closed) return
    timer = setTimeout(() => {
      // The code that needs the ledger reports that it is unavailable.
      record().then(
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

/** How far this machine's clock is ahead of the ledger's; undefined if the answer took too long to measure it. */
export function aheadOf(sentAt: number, ledger: string | undefined): number | undefined {
  const answered = Date.now()
  if (ledger === undefined || answered - sentAt > LONGEST_ANSWER_MS) return undefined
  return (sentAt + answered) / 2 - Date.parse(ledger)
}

/** Queries the ledger's time; see `aheadOf`. */
export async function aheadOfLedger(pool: Pool): Promise<number | undefined> {
  const sentAt = Date.now()
  const { rows } = await pool.query<{ now: string }>('select clock_timestamp() as now')
  return aheadOf(sentAt, rows[0]?.now)
}

/** Records that this process has just planned by the calendar; used by `/readyz`. */
export async function recordReconciled({ pool }: Database, id: string): Promise<void> {
  await pool.query('update nightshift.processes set reconciled_at = clock_timestamp() where id = $1', [id])
}

/** Which of the two processes that nights need are alive. */
export interface Alive {
  worker: boolean
  scheduler: boolean
  /** What no living worker takes, such as `scoring of churn`; empty where there is no worker at all. */
  untaken: string[]
}

/**
 * Whether a process that takes jobs was seen within 15 s, and one that plans by the calendar. A scheduler whose rounds
 * fail, as without Redis, is alive: to start another would not help, and /readyz and the metrics say how long it has
 * not planned. `staying`: commands, which end with their own work, do not count.
 */
export async function whoIsAlive(
  { pool }: Pick<Database, 'pool'>,
  { staying = false }: { staying?: boolean } = {},
): Promise<Alive> {
  const [workers, { rows }] = await Promise.all([
    livingWorkers(pool),
    pool.query<{ alive: boolean }>(
      `select exists (select from nightshift.processes
         where reconciled_at is not null and seen_at > clock_timestamp() - make_interval(secs => $1)
           and not ($2 and role = 'command')) as alive`,
      [ALIVE_MS / 1000, staying],
    ),
  ])
  const counted = workers.filter(({ role }) => !staying || role !== 'command')
  return {
    worker: counted.length > 0,
    scheduler: rows[0]?.alive === true,
    untaken: await untaken(pool, counted),
  }
}

/** True if processes seen within 15 s take the features and the scoring of all nights. */
export async function workerAlive(database: Pick<Database, 'pool'>): Promise<boolean> {
  const { worker, untaken } = await whoIsAlive(database)
  return worker && !untaken.some((each) => /^(?:features|scoring)/.test(each))
}

/** True if a long-running process was seen within 15 s: one that plans and delivers mail by itself. `roles`: of these alone. */
export async function hostAlive(
  database: Pick<Database, 'pool'>,
  roles: Exclude<ProcessRole, 'command'>[] = ['worker', 'scheduler', 'web'],
): Promise<boolean> {
  const { rows } = await database.pool.query<{ alive: boolean }>(
    `select exists (select from nightshift.processes
       where role = any($2) and seen_at > clock_timestamp() - make_interval(secs => $1)) as alive`,
    [ALIVE_MS / 1000, roles],
  )
  return rows[0]?.alive === true
}

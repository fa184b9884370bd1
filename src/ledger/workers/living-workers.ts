import type { Pool } from 'pg'
import type { Kind } from '../nights/slots.ts'
import { ALIVE_MS, type ProcessRole } from './process-role.ts'
import { EVERYTHING, type Takes, takesRun, takesWork, WORK, workOf } from './takes.ts'

/** A process that takes jobs and was seen within 15 s. */
export interface LivingWorker {
  id: string
  role: ProcessRole
  host: string
  pid: number
  /** Null where its build is older than this record, as of `memory`. */
  version: string | null
  places: number
  /** What its tasks may use together, in bytes. */
  memory: number | null
  /** How far its clock is ahead of the ledger's, in milliseconds (behind: negative); null before it was measured. */
  clock_ahead_ms: number | null
  takes: Takes
  /** Views, models and shards that it has in hand. */
  works_on: string[]
  started_at: string
  seen_at: string
}

export async function livingWorkers(pool: Pool): Promise<LivingWorker[]> {
  const { rows } = await pool.query<Omit<LivingWorker, 'takes'> & { takes: Takes | null }>(
    `select id, role, host, pid, version, places, memory, clock_ahead_ms, takes, started_at, seen_at,
            array(select r.name || ' ' || r.partition
                    from nightshift.attempts a join nightshift.runs r on r.id = a.run and r.attempt = a.number
                    left join nightshift.splits s on s.run = a.run and s.attempt = a.number
                   where a.worker = p.id and r.state = 'running' and (s.run is null or s.joining_at is not null)
                  union all
                  select r.name || ' ' || r.partition || ' shard ' || h.shard
                    from nightshift.shards h join nightshift.runs r on r.id = h.run and r.attempt = h.attempt
                   where h.worker = p.id and h.state = 'running' and r.state = 'running'
                   order by 1) as works_on
       from nightshift.processes p
      where places > 0 and seen_at > clock_timestamp() - make_interval(secs => $1)
      order by host, started_at, id`,
    [ALIVE_MS / 1000],
  )
  return rows.map((row) => ({ ...row, takes: row.takes ?? EVERYTHING }))
}

/** What no living worker takes, such as `monitoring` and `scoring of churn`. Empty also where no worker is alive at all. */
export async function untaken(pool: Pool, workers: { takes: Takes }[]): Promise<string[]> {
  if (workers.length === 0) return []
  const works = WORK.filter((work) => !workers.some(({ takes }) => takesWork(takes, work)))
  if (workers.every(({ takes }) => takes.models === null)) return works
  const names = (await expectedNames(pool)).filter(
    (each) => !works.includes(workOf(each.kind)) && !workers.some(({ takes }) => takesRun(takes, each)),
  )
  return [...works, ...names.map(({ kind, name }) => `${workOf(kind)} of ${name}`)]
}

/** Views and models with slots of the last month, or ahead. */
async function expectedNames(pool: Pool): Promise<{ kind: Kind; name: string }[]> {
  const { rows } = await pool.query<{ kind: Kind; name: string }>(
    `select distinct kind, name from nightshift.slots where as_of > now() - interval '31 days' order by kind, name`,
  )
  return rows
}

import { age } from '../../format/elapsed.ts'
import { NIGHTLY_QUEUES } from '../../jobs/queue/queues.ts'
import { within } from '../../jobs/queue/within.ts'
import { unavailable } from '../../ledger/connection/unavailable.ts'
import { olderThanLedger } from '../../ledger/migrations/migrate.ts'
import { APART_MS } from '../../workers/clock-difference.ts'
import type { PageContext } from '../page-context.ts'
import { askDepths } from '../queue-depths.ts'

export interface Part {
  check: 'database' | 'queue' | 'build' | 'reconcile' | 'workers' | 'slots' | 'runs' | 'jobs' | 'clocks'
  ok: boolean
  reason: string
  /** Work progresses, but an operator should look into it. */
  note?: true
}

/** A server that does not respond within this time is unavailable. */
const ANSWER_MS = 2_000
/** A scheduler reconciles every 2 s, which takes a few seconds at most; this is many times that. */
const RECONCILED_S = 60
/** A slot that is due is started in the next round. */
const STARTED_S = 300
/** An attempt that lost its worker is taken over within 15 s; a publication is retried as often. */
const STRANDED_S = 30
/** A job may wait this long while nothing runs; it may wait longer behind other jobs. */
const WAITING_S = 900

/** Whether each part of the work progresses, with a reason. Never throws, and returns within about two seconds. */
export async function progressOf(pageContext: Pick<PageContext, 'database' | 'queues'>): Promise<Part[]> {
  const [ledgerResult, queueResult] = await Promise.allSettled([
    within(ANSWER_MS, readLedger(pageContext)),
    within(ANSWER_MS, askDepths(pageContext)),
  ])
  const backend = pageContext.queues.backend === 'redis' ? 'Redis' : 'the queue in PostgreSQL'
  const parts: Part[] = [
    { check: 'database', ...responsePart('the database', ledgerResult) },
    { check: 'queue', ...responsePart(backend, queueResult, pageContext.queues.trouble()) },
  ]
  if (ledgerResult.status === 'rejected') return parts
  const ledger = ledgerResult.value
  parts.push(
    buildPart(ledger),
    reconcilePart(ledger),
    workersPart(ledger),
    slotsPart(ledger),
    runsPart(ledger),
    clocksPart(ledger),
  )
  if (queueResult.status === 'fulfilled') {
    const waits = Object.fromEntries(
      queueResult.value.map(({ queue, oldestSeconds }) => [queue, oldestSeconds]),
    )
    parts.push(jobsPart(waits, ledger))
  }
  return parts
}

/** Whether a server responded, otherwise its error. `trouble` is its client's last connection error, which is more precise. */
function responsePart(
  server: string,
  question: PromiseSettledResult<unknown>,
  trouble?: Error,
): Pick<Part, 'ok' | 'reason'> {
  if (question.status === 'fulfilled') return { ok: true, reason: `${server} responds` }
  const why = unavailable(trouble) ?? unavailable(question.reason) ?? 'cannot be queried'
  return { ok: false, reason: `${server} ${why}` }
}

interface Ledger {
  /** Seconds since a scheduler last reconciled; null: never. */
  reconciled: number | null
  /** Live processes that take jobs. */
  workers: number
  /** Slots that are due but not started, and the seconds since the oldest was due. */
  unstarted: number
  oldest: number | null
  /** Started runs without a live worker, and the longest time in seconds since one was seen. */
  stranded: number
  stranded_for: number | null
  /** Partitions that are computed and committed but could not be moved into place. */
  unpublished: number
  /** Whether an attempt is running, or a run was started in the last 15 minutes. */
  busy: boolean
  /** Live processes whose clock differs from the ledger's, and the largest difference in milliseconds. */
  apart: number
  apart_by: number | null
  /** Why this process takes no more work; null: it takes work. */
  older: string | null
}

async function readLedger({ database }: Pick<PageContext, 'database'>): Promise<Ledger> {
  const older = (await olderThanLedger(database.pool)) ?? null
  const { rows } = await database.pool.query<Omit<Ledger, 'older'>>(
    `with apart as (
       select abs(clock_ahead_ms) as by from nightshift.processes
        where seen_at > clock_timestamp() - interval '15 seconds' and abs(clock_ahead_ms) > $4),
     due as (
       select clock_timestamp() - due as since from nightshift.slots
        where state = 'expected' and schedule is not null and reason is null
          and due < clock_timestamp() - make_interval(secs => $1)),
     under_way as (
       select r.state, r.next_attempt_at,
              extract(epoch from clock_timestamp() - coalesce(a.seen_at, p.seen_at, a.started_at, r.created_at)) as silent
         from nightshift.runs r
         left join nightshift.attempts a on a.run = r.id and a.number = r.attempt
         left join nightshift.processes p on p.id = a.worker
        where r.state in ('running', 'publishing')
          -- An attempt in shards is in nobody's hands; its shards are given out again.
          and not exists (select from nightshift.splits s
                           where s.run = r.id and s.attempt = r.attempt and s.joining_at is null))
     select
       (select extract(epoch from clock_timestamp() - max(reconciled_at))::float8 from nightshift.processes) as reconciled,
       (select count(*)::int from nightshift.processes
         where places > 0 and seen_at > clock_timestamp() - interval '15 seconds') as workers,
       (select count(*)::int from apart) as apart, (select max(by) from apart) as apart_by,
       (select count(*)::int from due) as unstarted,
       (select extract(epoch from max(since))::float8 from due) as oldest,
       (select count(*)::int from under_way where silent > $3) as stranded,
       (select max(silent)::float8 from under_way where silent > $3) as stranded_for,
       (select count(*)::int from under_way where state = 'publishing' and next_attempt_at is not null) as unpublished,
       exists (select from under_way where silent <= $3)
         or exists (select from nightshift.runs
                     where started_at > clock_timestamp() - make_interval(secs => $2)
                       and created_at > clock_timestamp() - interval '2 days') as busy`,
    [STARTED_S, WAITING_S, STRANDED_S, APART_MS],
  )
  const [row] = rows
  if (row === undefined) throw new Error('the ledger returned no row')
  return { ...row, older }
}

function buildPart({ older }: Ledger): Part {
  return older === null
    ? { check: 'build', ok: true, reason: 'this build supports the ledger' }
    : {
        check: 'build',
        ok: false,
        reason: 'the ledger is newer than this build, which takes no more work: upgrade and restart',
      }
}

function runsPart({ stranded, stranded_for, unpublished }: Ledger): Part {
  const check = 'runs'
  if (unpublished > 0) {
    const what = unpublished === 1 ? '1 partition is' : `${unpublished} partitions are`
    return {
      check,
      ok: false,
      reason: `${what} computed but could not be published yet: see the open incident`,
    }
  }
  if (stranded_for === null) return { check, ok: true, reason: 'every started run has a live worker' }
  const what = stranded === 1 ? '1 run is' : `${stranded} runs are`
  return {
    check,
    ok: false,
    reason: `${what} started but without a live worker for ${age(1000 * stranded_for)}`,
  }
}

/** Work uses the ledger's clock; only the times in the machines' own logs are wrong. */
function clocksPart({ apart, apart_by }: Ledger): Part {
  const check = 'clocks'
  if (apart_by === null) return { check, ok: true, reason: "every process's clock agrees with the ledger's" }
  const whose = apart === 1 ? "1 process's clock is" : `${apart} processes' clocks are`
  return {
    check,
    ok: true,
    note: true,
    reason: `${whose} off from the ledger's by up to ${age(apart_by)}: work uses the ledger's clock; nightshift doctor shows which`,
  }
}

function reconcilePart({ reconciled }: Ledger): Part {
  const check = 'reconcile'
  if (reconciled === null) return { check, ok: false, reason: 'no scheduler has reconciled yet' }
  return {
    check,
    ok: reconciled <= RECONCILED_S,
    reason: `a scheduler last reconciled without a failure ${age(1000 * reconciled)} ago`,
  }
}

function workersPart({ workers }: Ledger): Part {
  const reason =
    workers === 0 ? 'no worker is alive' : `${workers} ${workers === 1 ? 'worker is' : 'workers are'} alive`
  return { check: 'workers', ok: workers > 0, reason }
}

function slotsPart({ unstarted, oldest }: Ledger): Part {
  return oldest === null
    ? { check: 'slots', ok: true, reason: 'every due slot has started' }
    : {
        check: 'slots',
        ok: false,
        reason: `${unstarted} ${unstarted === 1 ? 'slot is' : 'slots are'} due and not started, the oldest for ${age(1000 * oldest)}`,
      }
}

function jobsPart(waits: Record<string, number>, { busy }: Ledger): Part {
  const words = Object.entries(waits)
    .filter(([, seconds]) => seconds > 0)
    .map(([queue, seconds]) => `${queue} ${age(1000 * seconds)}`)
  const stuck = !busy && NIGHTLY_QUEUES.some((queue) => (waits[queue] ?? 0) > WAITING_S)
  const reason = words.length === 0 ? 'no job waits' : `the oldest job waits: ${words.join(', ')}`
  return { check: 'jobs', ok: !stuck, reason: stuck ? `${reason}, and nothing is running` : reason }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { alertSettings } from '../../src/alerts/delivery/alert-settings.ts'
import { openTransport } from '../../src/alerts/delivery/open-transport.ts'
import { sendDueMails } from '../../src/alerts/delivery/send-due-mails.ts'
import { ack } from '../../src/alerts/incidents/acknowledge.ts'
import { reconcile, reconcileBackfills } from '../../src/host/reconcile.ts'
import { projectReader } from '../../src/host/reread.ts'
import { nextDue } from '../../src/host/simulation/next-due.ts'
import { startWorker } from '../../src/host/start-worker.ts'
import { feedBackfills } from '../../src/jobs/backfills/feed-backfills.ts'
import { openQueues, QUEUE_NAMES, type Queues } from '../../src/jobs/queue/queues.ts'
import type { Reconciler } from '../../src/jobs/reconciler.ts'
import { rerun } from '../../src/jobs/rerun.ts'
import { type Database, openDatabase, transaction } from '../../src/ledger/connection/database.ts'
import { settleIdentity } from '../../src/ledger/identity/project-identity.ts'
import { findRun } from '../../src/ledger/nights/run-records.ts'
import { listSlots, type Slot } from '../../src/ledger/nights/slots.ts'
import { openActiveAttempts } from '../../src/ledger/workers/active-attempts.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { ledgerEffects } from '../../src/workers/attempt/effects.ts'
import { notifyRecovery } from '../../src/workers/attempt/report-night.ts'
import { openChildren } from '../../src/workers/child/children.ts'
import type { Context } from '../../src/workers/context.ts'
import { findStale } from '../../src/workers/currency.ts'
import { withObjects } from '../../src/workers/objects/with-objects.ts'
import { type MailServer, openMailServer } from '../alerts/mail-server.ts'
import { freshDatabase } from '../database/fresh.ts'

/** A scheduler, a worker and a mailbox in this process, on a clock that moves when the test says so. */
export interface Life {
  database: Database
  /** What its worker works with, for a test that hands it jobs itself. */
  context: Context
  queues: Queues
  mails: MailServer
  now(): Date
  /** Moves the clock on in steps; after each the calendar is looked at, work done to its end, mail delivered. */
  until(time: string, stepMinutes?: number): Promise<void>
  /** Does what is due while a command runs that waits for it, without moving the clock. */
  beside<T>(command: Promise<T>): Promise<T>
  /** From now on it does not wait for the end of this run. */
  leaveRunning(run: string): void
  slot(kind: Slot['kind'], name: string, partition: string): Promise<Slot | undefined>
  /** As `nightshift retry` asks for it; the next step of the clock does it. */
  retry(kind: Slot['kind'], name: string, partition: string): Promise<void>
  /** Starts the worker of a life that began without one. */
  hire(): Promise<void>
  ack(incident: number): Promise<void>
  close(): Promise<void>
}

/** What nobody says that it is due, such as a day's gate, is found then. */
const LONGEST_LEAP_MS = 6 * 3_600_000

export async function openLife(
  root: string,
  { from, worker = true, redisUrl }: { from: string; worker?: boolean; redisUrl?: string | undefined },
): Promise<Life> {
  const fresh = await freshDatabase({ from: 'template_clock' })
  await fresh.database.pool.query('insert into test_clock.time values (now())')
  const url = new URL(fresh.url)
  url.searchParams.set('options', '-c search_path=test_clock,pg_catalog,public')
  const database = await openDatabase({ root, url: url.href, role: 'command' })
  // In Redis, where ledgers may share a server, they are those that commands of the project use.
  const own =
    redisUrl === undefined ? {} : { prefix: (await settleIdentity(database, openProject(root))).queues }
  const queues = await openQueues({ databaseUrl: fresh.url, redisUrl, log: () => {}, ...own })
  const mails = await openMailServer()
  const log = pino({ level: process.env.NIGHTSHIFT_LOG || 'silent' })
  const project = projectReader(openProject(root), log, { freshMs: 0 })
  let time = new Date(from)
  const clock = () => time
  const transport = openTransport(mails.url, root, log)
  const children = withObjects(
    openChildren({
      places: 2,
      timeouts: () => project().timeouts,
      memory: () => project(),
    }),
    () => project().objects,
    project(),
  )
  let wake = () => {}
  const context: Context = {
    id: 'life',
    database,
    children,
    activeAttempts: openActiveAttempts(),
    log,
    root,
    warehouse: project().warehouse,
    clock,
    project,
    wake: () => wake(),
    onPublished: (client, run) => notifyRecovery(client, context, run, 'published', { run }),
  }
  let hired = worker ? await startWorker(context, queues, 'worker') : undefined

  const set = async (to: Date) => {
    time = to
    await database.pool.query('update test_clock.time set at = $1', [to])
  }
  const left: string[] = []
  const settled = async () => {
    const { rows } = await database.pool.query<{ open: boolean }>(
      `select exists (select from nightshift.runs where state in ('queued', 'running', 'publishing')
                       and coalesce(next_attempt_at, $1) <= $1 and id <> all ($2)) as open`,
      [time, left],
    )
    return rows[0]?.open !== true
  }
  /** Reconciles until there is nothing to do, again whenever a job has ended. @returns milliseconds until a slot, an attempt or a deadline is due */
  const settle = async (): Promise<number> => {
    for (let tries = 0; tries < 2400; tries++) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      // What is due next is known only to a round that found nothing at work.
      const calm = hired === undefined || (await settled())
      const reconciler: Reconciler = {
        database,
        queues,
        log,
        project,
        effects: ledgerEffects(context),
        scope: 'calendar',
      }
      const rounds = [await reconcile(reconciler), await reconcileBackfills(reconciler)]
      const stale = (runs: string[]) =>
        findStale({ database, children }, project(), runs, { lane: 'backfill' })
      if ((await feedBackfills({ database, log, stale })) || rounds.some(({ actions }) => actions.length > 0))
        continue
      const ended = hired === undefined || (await settled())
      if (calm && ended) return Math.min(...rounds.map(({ next }) => next ?? LONGEST_LEAP_MS))
      if (!ended) await Promise.race([woken, sleep(250)])
    }
    throw new Error(`the work of ${time.toISOString()} does not end`)
  }
  const untilDue = async () => {
    const due = await nextDue(database.pool)
    return due === undefined ? LONGEST_LEAP_MS : due.getTime() - time.getTime()
  }
  /** No job is left, of those too that no run waits for. One statement in PostgreSQL: it is asked at each step. */
  const isIdle = async () => {
    if (queues.backend === 'redis')
      return (await Promise.all(QUEUE_NAMES.map((name) => queues.ids(name)))).every((ids) => ids.size === 0)
    const { rows } = await database.pool.query<{ idle: boolean }>(
      `select not exists (select from nightshift_queues.job where state not in ('completed', 'failed')) as idle`,
    )
    return rows[0]?.idle === true
  }
  const slotNamed: Life['slot'] = async (kind, name, partition) =>
    (await listSlots(database.pool, { kind, name })).find((slot) => slot.partition === partition)
  await set(time)
  await settle()
  return {
    database,
    context,
    queues,
    mails,
    now: clock,
    async until(to, stepMinutes = 5) {
      const step = stepMinutes * 60_000
      let leap = step
      while (time.getTime() < Date.parse(to)) {
        await set(new Date(Math.min(time.getTime() + leap, Date.parse(to))))
        const quiet = await settle()
        await sendDueMails({
          database,
          transport,
          settings: alertSettings(project()),
          log,
          clock,
          secret: () => undefined,
        })
        // Steps at which nothing is due are left out.
        leap =
          hired === undefined || (await isIdle())
            ? Math.ceil(Math.min(Math.max(Math.min(quiet, await untilDue()), step), LONGEST_LEAP_MS) / step) *
              step
            : step
      }
    },
    async beside(command) {
      let isOver = false
      const end = () => {
        isOver = true
      }
      command.then(end, end)
      while (!isOver) {
        await settle()
        await sleep(100)
      }
      return await command
    },
    leaveRunning(run) {
      left.push(run)
    },
    slot: slotNamed,
    async retry(kind, name, partition) {
      const id = (await slotNamed(kind, name, partition))?.run
      const run = id == null ? undefined : await findRun(database.pool, id)
      if (run === undefined) throw new Error(`${name} ${partition} has no run`)
      await rerun(database, project(), run, null)
    },
    async hire() {
      hired = await startWorker(context, queues, 'worker')
    },
    async ack(incident) {
      await transaction(database, (client) => ack(client, clock(), [incident], 'oncall@example.com'))
    },
    async close() {
      await hired?.close()
      await children.close()
      await transport.close()
      await mails.close()
      await queues.close()
      await database.close()
      await fresh.drop()
    },
  }
}

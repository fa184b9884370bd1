import { availableParallelism } from 'node:os'
import type { Logger } from 'pino'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { openFiles } from '../../alerts/delivery/mail-files.ts'
import { sendDueMails } from '../../alerts/delivery/send-due-mails.ts'
import { openInProcessQueues } from '../../jobs/queue/queues-in-process.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { setClock } from '../../ledger/connection/simulated-clock.ts'
import { openActiveAttempts } from '../../ledger/workers/active-attempts.ts'
import { expectNoLateLabels } from '../../monitoring/outcomes/record.ts'
import { openVerdictKeeper } from '../../monitoring/trust/keep-verdicts.ts'
import type { Project } from '../../project/project.ts'
import { ledgerEffects } from '../../workers/attempt/effects.ts'
import { notifyRecovery } from '../../workers/attempt/report-night.ts'
import { type Children, openChildren } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { withObjects } from '../../workers/objects/with-objects.ts'
import { reconcile } from '../reconcile.ts'
import { startWorker } from '../start-worker.ts'
import { nextDue } from './next-due.ts'
import { noteRetraining } from './note-retraining.ts'

/** The clock never leaps further than this: what waits for a time that nobody asks about is found then. */
const LONGEST_STEP_MS = 24 * 3_600_000
/** More rounds than this at one time mean that something is planned again and again. */
const MOST_ROUNDS = 1_000

export interface LifeOptions {
  project: Project
  database: Database
  log: Logger
  /** The folder for mails, within `.nightshift`. */
  outbox: string[]
  signal: AbortSignal
  /** What stands between the worker and its compute children. */
  tamper?: ((children: Children) => Children) | undefined
}

export interface Span {
  until: Date
  /** Called each time that the clock has been moved and everything due then is done. True: it is over. */
  onTime?: (now: Date) => Promise<boolean | undefined>
}

/** The scheduler, the planner, a worker and the mails of a project, on a clock that leaps from one due time to the next. */
export interface Life {
  context: Context
  /** Leaps on until a time. Between two leaps everything that is due is done to its end, in real time. */
  through(span: Span): Promise<void>
  close(): Promise<void>
}

/** Lives until a time, and closes. */
export async function liveThrough(options: LifeOptions, span: Span): Promise<void> {
  const life = await openLife(options)
  try {
    await life.through(span)
  } finally {
    await life.close()
  }
}

export async function openLife(options: LifeOptions): Promise<Life> {
  const { project, database, log, signal, tamper = (all) => all } = options
  const queues = openInProcessQueues()
  const children = tamper(
    withObjects(
      openChildren({
        places: availableParallelism(),
        monitors: availableParallelism(),
        timeouts: () => project.timeouts,
        memory: () => project,
      }),
      () => project.objects,
      project,
    ),
  )
  const stop = () => void children.close()
  signal.addEventListener('abort', stop, { once: true })
  const clock = ledgerClock(database)
  const context: Context = {
    id: `simulation-${process.pid}`,
    database,
    children,
    activeAttempts: openActiveAttempts(),
    log,
    root: project.root,
    warehouse: project.warehouse,
    clock,
    project: () => project,
    wake: () => {},
    onPublished: (client, run) => notifyRecovery(client, context, run, 'published', { run }),
  }
  const transport = openFiles(project.root, log, options.outbox)
  const verdicts = openVerdictKeeper(database)
  const worker = await startWorker(context, queues, 'worker', { retrain: noteRetraining })
  const round = () =>
    reconcile({
      database,
      queues,
      log,
      project: context.project,
      effects: ledgerEffects(context),
      scope: 'calendar',
    })

  /** Does what is due now. Returns how long nothing is. */
  const settle = async (): Promise<number> => {
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
      signal.throwIfAborted()
      const { actions, failures, next } = await round()
      const done = await queues.idle()
      signal.throwIfAborted()
      const [failure] = failures
      if (failure !== undefined && rounds > MOST_ROUNDS / 2) throw failure.error
      if (done > 0 || failures.length > 0 || actions.some(({ type }) => type !== 'see-schedule')) continue
      await verdicts.keep(project)
      await sendDueMails({
        database,
        transport,
        // The simulation starts its nights itself.
        settings: { ...alertSettings(project), isScheduled: false },
        log,
        clock,
        secret: () => undefined,
      })
      return next ?? LONGEST_STEP_MS
    }
    throw new Error(`the work of ${(await clock()).toISOString()} does not end`)
  }

  return {
    context,
    async through({ until, onTime }) {
      for (;;) {
        const quiet = await settle()
        const now = await clock()
        if ((await onTime?.(now)) === true || now >= until) return
        await expectNoLateLabels(database.pool)
        const due = Math.min(
          now.getTime() + Math.max(1, Math.min(quiet, LONGEST_STEP_MS)),
          (await nextDue(database.pool))?.getTime() ?? Number.POSITIVE_INFINITY,
          until.getTime(),
        )
        await setClock(database.pool, database.schema, new Date(due))
      }
    },
    async close() {
      signal.removeEventListener('abort', stop)
      await children.close()
      await worker.close(0)
      await queues.close()
      await transport.close()
    },
  }
}

import { randomUUID } from 'node:crypto'
import { askDailyGates } from '../actions/ask-daily-gates.ts'
import { askGate } from '../actions/ask-gate.ts'
import { announceEndedMutes } from '../actions/incidents/end-mutes.ts'
import { requestDueDrills } from '../actions/operations/scheduled-drills.ts'
import { pruneRecords } from '../actions/prune-records.ts'
import { sendDueDigest } from '../actions/send-digest.ts'
import { alertSettings } from '../alerts/delivery/alert-settings.ts'
import { openHeartbeat } from '../alerts/delivery/heartbeat.ts'
import { openTransport } from '../alerts/delivery/open-transport.ts'
import { sendDueMails, untilNextMail } from '../alerts/delivery/send-due-mails.ts'
import { feedBackfills } from '../jobs/backfills/feed-backfills.ts'
import type { Reconciler } from '../jobs/reconciler.ts'
import { ledgerClock } from '../ledger/connection/ledger-clock.ts'
import { listen, REQUEST } from '../ledger/connection/notifications.ts'
import { olderThanLedger } from '../ledger/migrations/migrate.ts'
import { beat, hostAlive, recordReconciled } from '../ledger/nights/alive.ts'
import { followAnswers } from '../ledger/nights/answers.ts'
import { openActiveAttempts } from '../ledger/workers/active-attempts.ts'
import type { ProcessRole } from '../ledger/workers/process-role.ts'
import { openVerdictKeeper } from '../monitoring/trust/keep-verdicts.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { ChildRunner } from '../readiness/item.ts'
import { ledgerEffects } from '../workers/attempt/effects.ts'
import { notifyRecovery } from '../workers/attempt/report-night.ts'
import { openChildren } from '../workers/child/children.ts'
import { clockWatch } from '../workers/clock-difference.ts'
import type { Context } from '../workers/context.ts'
import { findStale } from '../workers/currency.ts'
import { openGuard } from '../workers/guard-published.ts'
import { withObjects } from '../workers/objects/with-objects.ts'
import { startLoop } from '../workers/worker-loop.ts'
import type { Choice } from './chosen-work.ts'
import { postIfAlone } from './deliver-if-alone.ts'
import { reconcile, reconcileBackfills } from './reconcile.ts'
import { projectReader } from './reread.ts'
import type { Session } from './session.ts'
import { startWorker } from './start-worker.ts'
import { workOperation } from './work-operation.ts'

const RECONCILE_MS = 2_000
const BUILD_MS = 3_000
const DRAIN_MS = 2_000
const GUARD_MS = 5_000
/** Also the time after the start before the first look: the nights that wait come first. */
const GATES_MS = 60_000
const DRILLS_MS = 30_000
const DIGEST_MS = 30_000
const VERDICTS_MS = 5_000
const PRUNE_MS = 3_600_000
/** Between two batches: the nights come first. */
const NEXT_BATCH_MS = 1_000

export interface Host {
  context: Context
  /** Reconciles immediately. */
  wake(): void
  /** Why this process takes no more work: the ledger is newer than this build. Undefined while it takes work. */
  retired(): string | undefined
  /** Gives what runs `graceMs` (default 10 s) to end; what has not ended by then is handed back. */
  close(graceMs?: number): Promise<void>
}

/**
 * Starts this process's share of the work: it reconciles and drains the outbox, takes jobs if it has worker capacity,
 * and plans within its scope.
 */
export async function openHost(
  session: Session,
  {
    role,
    places,
    scope,
    choice = {},
  }: { role: ProcessRole; places: number; scope: Reconciler['scope']; choice?: Choice },
): Promise<Host> {
  const { project, database, log, environment } = session
  const queues = await session.queues()
  // A misconfigured queue ends the command here; an unavailable one is waited for.
  await queues.has('features', 'start').catch((error: unknown) => {
    if (error instanceof ConfigurationError) throw error
    const why = error instanceof Error ? error.message : String(error)
    if (role === 'command') process.stderr.write(`waiting for the queue: ${why}\n`)
    else log.warn(`waiting for the queue: ${why}`)
  })
  const children = withObjects(
    openChildren({
      places: Math.max(1, places),
      warm: places > 0,
      timeouts: () => context.project().timeouts,
      memory: () => context.project(),
    }),
    () => context.project().objects,
    project,
  )
  const transport = openTransport(environment.smtpUrl, project.root, log, environment.outbox)
  const context: Context = {
    id: `${role}-${randomUUID().slice(0, 8)}`,
    database,
    children,
    activeAttempts: openActiveAttempts(),
    log,
    root: project.root,
    warehouse: project.warehouse,
    clock: ledgerClock(database),
    project: projectReader(project, log, { simulation: session.simulation }),
    wake: () => {
      nights.wake()
      backfills.wake()
      feeding.wake()
    },
    async onPublished(client, run) {
      await notifyRecovery(client, context, run, run.trigger === 'release' ? 'released' : 'published', {
        run,
        by: run.requested_by,
      })
      if (run.kind === 'scores' && run.backfill === null) heartbeat.published()
    },
  }
  const logError = (what: string) => (error: unknown) =>
    log.error(
      { error: error instanceof Error ? error.message : String(error) },
      `${what} failed and will be retried`,
    )
  const heartbeat = openHeartbeat(() => context.project().heartbeat, log)
  const begun = performance.now()
  let retired: string | undefined
  let ended: Promise<void> | undefined
  const openReconciler = (): Reconciler => ({
    database,
    queues,
    log,
    project: context.project,
    scope,
    effects: ledgerEffects(context),
    answers: followAnswers(),
  })
  const ofNights = openReconciler()
  const nights = startLoop(
    async () => {
      if (retired !== undefined) return undefined
      const { next, failures } = await reconcile(ofNights)
      // Only a round without failures counts: repeated failures then show at /readyz and in the external heartbeat.
      if (scope === 'calendar' && failures.length === 0) {
        heartbeat.healthy()
        await recordReconciled(database, context.id)
      }
      return next
    },
    { everyMs: RECONCILE_MS, onError: logError('reconciling') },
  )
  const ofBackfills = openReconciler()
  /** Pages answer in time beside tens of thousands of nights, which their process leaves to one that is there for them. */
  const leavesBackfills = async () =>
    retired !== undefined || (role === 'web' && (await hostAlive(database, ['worker', 'scheduler'])))
  const backfills = startLoop(
    async () => ((await leavesBackfills()) ? undefined : (await reconcileBackfills(ofBackfills)).next),
    { everyMs: RECONCILE_MS, rests: true, onError: logError('reconciling backfills') },
  )
  // Beside the rounds of the reconciler, which tell what is late: this looks at inputs, and may wait for a place to do so.
  const feeding = startLoop(
    async () => {
      if (await leavesBackfills()) return undefined
      const stale = (runs: string[]) =>
        findStale({ database, children }, context.project(), runs, { lane: 'backfill' })
      if (await feedBackfills({ database, log, stale })) backfills.wake()
      return undefined
    },
    { everyMs: RECONCILE_MS, onError: logError('feeding the backfills') },
  )
  const sendMail = async () => {
    if (retired !== undefined) return undefined
    const project = context.project()
    const settings = alertSettings(project)
    await sendDueMails({
      database,
      transport,
      settings,
      log,
      clock: context.clock,
      secret: environment.secret,
    })
    // After the mails: what fails here holds none of them up.
    await announceEndedMutes({ database, project })
    return untilNextMail({ database, clock: context.clock })
  }
  const outbox = startLoop(sendMail, { everyMs: DRAIN_MS, onError: logError('sending mail') })
  const stays = role !== 'command'
  const guard = openGuard(context)
  const files =
    scope === 'requested'
      ? undefined
      : startLoop(
          async () => {
            if (retired === undefined) await guard()
            return undefined
          },
          { everyMs: GUARD_MS, onError: logError('comparing published files with the ledger') },
        )
  const gates =
    scope === 'calendar'
      ? startLoop(
          async () => {
            if (retired !== undefined || performance.now() - begun < GATES_MS) return undefined
            const inMonitors: ChildRunner = {
              run: (task, request, options) => children.run(task, request, { lane: 'monitor', ...options }),
            }
            const ledger = { project: context.project(), database }
            await askDailyGates(ledger, async (model, version) => {
              const gate = await askGate(ledger, model, version, inMonitors)
              return ended === undefined ? gate : undefined
            })
            return undefined
          },
          { everyMs: GATES_MS, onError: logError('asking the readiness gate') },
        )
      : undefined
  const drills =
    scope === 'calendar'
      ? startLoop(
          async () => {
            if (retired !== undefined) return undefined
            if ((await requestDueDrills({ project: context.project(), database })).length > 0) nights.wake()
            return undefined
          },
          { everyMs: DRILLS_MS, onError: logError('asking for the drills of schedules') },
        )
      : undefined
  const digests =
    scope === 'calendar'
      ? startLoop(
          async () => {
            if (retired === undefined) await sendDueDigest({ project: context.project(), database })
            return undefined
          },
          { everyMs: DIGEST_MS, onError: logError('writing the digest') },
        )
      : undefined
  const pruning =
    scope === 'calendar'
      ? startLoop(
          async () => {
            if (retired !== undefined) return undefined
            const more = await pruneRecords({ project: context.project(), database }, { log })
            return more ? NEXT_BATCH_MS : undefined
          },
          { everyMs: PRUNE_MS, onError: logError('pruning old records') },
        )
      : undefined
  // Whoever stays keeps verdicts, as it sends mails: commands leave both to it.
  const keeper = openVerdictKeeper(database)
  const keepVerdicts = async () => {
    if (retired === undefined) await keeper.keep(context.project())
    return undefined
  }
  const onUnkept = logError('recording verdicts on lists')
  const verdicts = stays ? startLoop(keepVerdicts, { everyMs: VERDICTS_MS, onError: onUnkept }) : undefined
  const operate = (data: unknown, signal: AbortSignal) => workOperation(session, context, data, signal)
  const worker = places > 0 ? await startWorker(context, queues, role, { operate, choice }) : undefined
  const stopListening = stays
    ? await listen(database, (what) => {
        if (what === REQUEST || what === '') context.wake()
      })
    : undefined
  const stopBeating =
    stays && worker === undefined
      ? await beat(database, { id: context.id, role, places: 0 }, { onClock: clockWatch(log) })
      : undefined
  /** Takes no more jobs, gives running attempts 10 s, then stops planning and mailing. */
  const end = (graceMs?: number) => {
    ended ??= (async () => {
      await worker?.close(graceMs)
      // After what computes: this asks the ledger, which may not answer.
      await stopListening?.()
      await stopBeating?.()
      await drills?.close()
      await digests?.close()
      await pruning?.close()
      await verdicts?.close()
      // What it has published since the last look, before it is gone.
      if (stays) await keepVerdicts().catch(onUnkept)
      await files?.close()
      await feeding.close()
      await backfills.close()
      await nights.close()
      await outbox.close()
    })()
    return ended
  }
  const build = startLoop(
    async () => {
      retired ??= await olderThanLedger(database.pool)
      if (retired !== undefined && ended === undefined) {
        log.error(`${retired}. This process takes no more work; running attempts have 10 s to finish`)
        void end()
      }
      return undefined
    },
    // An unavailable ledger is reported by the other loops, which need it.
    { everyMs: BUILD_MS, onError: () => {} },
  )
  return {
    context,
    wake: () => context.wake(),
    retired: () => retired,
    async close(graceMs) {
      await Promise.all([build.close(), end(graceMs)])
      if (!stays) await postIfAlone(session)
      // Its children are ended first: it need not come to its end.
      await children.close()
      await gates?.close()
      await transport.close()
    },
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { clockTime } from '../../format/clock-time.ts'
import { messageText } from '../../format/message-text.ts'
import { type Host, openHost } from '../../host/host.ts'
import type { Session } from '../../host/session.ts'
import { listen } from '../../ledger/connection/notifications.ts'
import { unavailable } from '../../ledger/connection/unavailable.ts'
import { olderThanLedger } from '../../ledger/migrations/migrate.ts'
import { workerAlive } from '../../ledger/nights/alive.ts'
import { findRun, isOver, type Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { setOutlook, tidily } from '../../workers/interruption.ts'
import { printNotice } from './print.ts'
import { openProgress, type ProgressView } from './progress-bar.ts'

const CHECK_MS = 1_000
/** For how long the ledger may not answer before following ends: it may be restarted. */
const PATIENCE_MS = 120_000

export interface Following {
  /** Returns whether all work is done, and which runs to show until then. Called again after each change in the ledger. */
  check: () => Promise<{ done: boolean; runs: string[] }>
  /** Show no progress. */
  quiet: boolean
  places?: number
  /** What continues if the user leaves before the end, or how to continue. Default: that of the runs shown last. */
  outlook?: () => Promise<string>
}

/**
 * Waits until `check` reports that all work is done, and shows the progress of the runs. If no worker is alive (or the last
 * one dies), it plans and executes the runs itself.
 * Ctrl-C ends it at once: what it was working on is handed back.
 */
export function follow(session: Session, following: Following): Promise<void> {
  return tidily((stop) => followUntil(stop, session, following))
}

async function followUntil(
  stop: AbortSignal,
  session: Session,
  { check, quiet, places = 1, outlook }: Following,
): Promise<void> {
  stop.throwIfAborted()
  setOutlook('what it was working on is taken over within 15 s if a worker is running (nightshift up)')
  const view = openProgress(quiet)
  let host: Host | undefined
  let shown: string[] = []
  let woken: (() => void) | undefined
  const wake = () => woken?.()
  let leave = () => {}
  const stopped = new Promise<never>((_, reject) => {
    leave = () => {
      reject(stop.reason)
      wake()
    }
  })
  stopped.catch(() => {})
  stop.addEventListener('abort', leave)
  /** Shows what is done. @returns whether all of it is */
  const look = async () => {
    const { done, runs } = await check()
    shown = runs
    await showRuns(session, view, runs)
    return done
  }
  /** Does the work here where nobody else does it. */
  const takeOver = async () => {
    const retired = host === undefined ? await olderThanLedger(session.database.pool) : host.retired()
    if (retired !== undefined) throw new ConfigurationError(retired)
    if (host !== undefined || (await workerAlive(session.database))) return
    if (!quiet)
      printNotice('no worker is running: this command does the work itself (nightshift up starts one)')
    host = await openHost(session, { role: 'command', places, scope: 'requested' })
  }
  let silentSince: number | undefined
  const stopListening = await listen(session.database, wake)
  try {
    for (;;) {
      // Before the check: what changes while it reads is not to be missed.
      const changed = new Promise<void>((resolve) => {
        woken = resolve
      })
      try {
        // A ledger that does not answer holds up nobody who leaves.
        if (await Promise.race([look(), stopped])) return
        await takeOver()
        silentSince = undefined
      } catch (error) {
        const why = unavailable(error)
        if (stop.aborted || why === undefined) throw error
        if (silentSince === undefined && !quiet)
          printNotice(`the ledger ${why}: asking it again until it answers`)
        silentSince ??= performance.now()
        if (performance.now() - silentSince > PATIENCE_MS) throw error
      }
      if (!stop.aborted) await Promise.race([changed, sleep(CHECK_MS)])
    }
  } finally {
    stop.removeEventListener('abort', leave)
    view.close()
    // First what computes: it ends even where the ledger does not answer.
    await host?.close(stop.aborted ? 0 : undefined)
    await stopListening()
    if (stop.aborted) setOutlook(await (outlook?.() ?? outlookOf(session, shown)))
  }
}

/** What becomes of runs that nobody follows any more. */
async function outlookOf({ database }: Session, ids: string[]): Promise<string> {
  const found = await Promise.all(ids.map((id) => findRun(database.pool, id)))
  const open = found.find((run) => run !== undefined && !isOver(run))
  if (open === undefined) return 'the same command goes on'
  const title = `${slotTitle(open)} (run ${open.id})`
  return (await workerAlive(database))
    ? `${title} goes on without you: nightshift show ${open.id}`
    : `${title} is ${open.state}, and continues once a worker is running (nightshift up) or with the same command`
}

async function showRuns(session: Session, view: ProgressView, ids: string[]): Promise<void> {
  for (const id of ids) {
    const run = await findRun(session.database.pool, id)
    if (run !== undefined)
      view.show(run.id, slotTitle(run), textOf(run, session.project.timezone), run.progress)
  }
}

function textOf(run: Run, timezone: string): string {
  if (run.state === 'waiting' && run.failure !== null)
    return `waiting for data${run.settings.wait_until === null ? '' : ` until ${clockTime(run.settings.wait_until, timezone)}`}: ${messageText(run.failure.message, timezone)}`
  // It is tried again until it can be, or until somebody gives it up.
  if (run.state === 'publishing' && run.failure !== null)
    return `not published yet: ${messageText(run.failure.message, timezone)}`
  if (run.state !== 'running') return run.state
  return run.progress?.text ?? 'started'
}

import { setTimeout as sleep } from 'node:timers/promises'
import { type Host, openHost } from '../../host/host.ts'
import type { Session } from '../../host/session.ts'
import { listen } from '../../ledger/connection/listen-notifications.ts'
import { workerAlive } from '../../ledger/nights/alive.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { slotTitle } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { openProgress, type ProgressView } from './progress-bar.ts'

const CHECK_MS = 1_000

export interface Following {
  /** Returns whether all work is done, and which runs to show until then. Called again after each change in the ledger. */
  check: () => Promise<{ done: boolean; runs: string[] }>
  /** Show no progress. */
  quiet: boolean
  places?: number
}

/**
 * Waits until `check` reports that all work is done, and shows the progress of the runs. Takes part in planning in the
 * meantime. If no worker is alive (or the last one dies), it executes the runs itself.
 */
export async function follow(session: Session, { check, quiet, places = 1 }: Following): Promise<void> {
  const view = openProgress(quiet)
  let host: Host | undefined
  let woken: (() => void) | undefined
  const stopListening = await listen(session.database, () => woken?.())
  try {
    let planner: Host | undefined = await openHost(session, {
      role: 'command',
      places: 0,
      scope: 'requested',
    })
    try {
      for (;;) {
        const { done, runs } = await check()
        await showRuns(session, view, runs)
        if (done) return
        const retired = (host ?? planner)?.retired()
        if (retired !== undefined) throw new ConfigurationError(retired)
        if (host === undefined && !(await workerAlive(session.database))) {
          await planner?.close()
          planner = undefined
          host = await openHost(session, { role: 'command', places, scope: 'requested' })
        }
        const changed = new Promise<void>((resolve) => {
          woken = resolve
        })
        await Promise.race([changed, sleep(CHECK_MS)])
      }
    } finally {
      await planner?.close()
    }
  } finally {
    view.close()
    await stopListening()
    await host?.close()
  }
}

async function showRuns(session: Session, view: ProgressView, ids: string[]): Promise<void> {
  for (const id of ids) {
    const run = await findRun(session.database.pool, id)
    if (run !== undefined) view.show(run.id, slotTitle(run), textOf(run), run.progress)
  }
}

function textOf(run: Run): string {
  if (run.state !== 'running') return run.state
  return run.progress?.text ?? 'started'
}

import { type NightRequest, startFeatures } from '../../actions/nights/request-night.ts'
import type { Session } from '../../host/session.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import type { View } from '../../project/project.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import { follow } from './follow.ts'

/** Asks for a view's features of a night, and follows them to their end. @returns the run */
export async function followRefresh(
  session: Session,
  view: View,
  request: NightRequest,
  { json }: { json?: boolean | undefined },
): Promise<string> {
  setOutlook(ASKED_FOR)
  const run = await startFeatures(session, view, request)
  await follow(session, {
    quiet: json === true,
    check: async () => {
      const now = await findRun(session.database.pool, run)
      return { done: now === undefined || isOver(now), runs: [run] }
    },
  })
  return run
}

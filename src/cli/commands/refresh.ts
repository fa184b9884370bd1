import { planFeatures, startFeatures } from '../../actions/nights/request-night.ts'
import { withSession } from '../../host/session.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { viewNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'
import { printNotice } from '../terminal/print.ts'
import type { RunOptions } from './run.ts'

/** `refresh VIEW --as-of D`: refreshes only the features. Does nothing if their inputs are unchanged. */
export default function refresh([name = '']: string[], options: RunOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const view = viewNamed(project, name)
    const asOf = await asOfToRun(database.pool, project, view, options.asOf)
    const by = personNamed(project, options.by)
    const request = { asOf, forced: options.force === true, by }
    const currency = await planFeatures({ ...session, onRepaired: printNotice }, view, request)
    if (currency.current) return reportNothingToDo(session, currency.run, options)
    setOutlook(ASKED_FOR)
    const run = await startFeatures(session, view, request)
    await follow(session, {
      quiet: options.json === true,
      check: async () => {
        const now = await findRun(database.pool, run)
        return { done: now === undefined || isOver(now), runs: [run] }
      },
    })
    return reportEnd(session, run, options)
  })
}

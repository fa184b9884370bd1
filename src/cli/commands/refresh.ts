import { withSession } from '../../host/session.ts'
import { requestFeatures, settingsFor } from '../../jobs/request-run.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { viewNamed } from '../../project/named.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun, personNamed } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'
import { currencyOf, type RunOptions, repairFile } from './run.ts'

/** `refresh VIEW --as-of D`: refreshes only the features. Does nothing if their inputs are unchanged. */
export default function refresh([name = '']: string[], options: RunOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const view = viewNamed(project, name)
    const asOf = await asOfToRun(database.pool, project, view, options.asOf)
    const by = personNamed(project, options.by)
    const forced = options.force === true
    await repairFile(session, 'features', view.name, asOf)
    if (!forced) {
      const currency = await currencyOf(session, view, asOf)
      if (currency.current) return reportNothingToDo(session, currency.run, options)
    }
    setOutlook(ASKED_FOR)
    const settings = settingsFor(project, 'features', view.name)
    const { run } = await requestFeatures(database, view.name, asOf, {
      trigger: 'manual',
      forced,
      settings,
      by,
    })
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

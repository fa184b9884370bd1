import { planFeatures } from '../../actions/nights/request-night.ts'
import { withSession } from '../../host/session.ts'
import { viewNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun } from '../terminal/find.ts'
import { followRefresh } from '../terminal/follow-refresh.ts'
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
    return reportEnd(session, await followRefresh(session, view, request, options), options)
  })
}

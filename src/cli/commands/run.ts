import { planScores, startScores } from '../../actions/nights/request-night.ts'
import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'
import { printNotice } from '../terminal/print.ts'

export interface RunOptions extends GlobalOptions {
  asOf: string
  force?: boolean
  by?: string
}

/** `run MODEL --as-of D`: refreshes features that are missing or stale, then scores. Does nothing if nothing changed. */
export default function run([name = '']: string[], options: RunOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const asOf = await asOfToRun(database.pool, project, model, options.asOf)
    const by = personNamed(project, options.by)
    const request = { asOf, forced: options.force === true, by }
    const plan = await planScores({ ...session, onRepaired: printNotice }, model.name, request)
    if (plan.current) return reportNothingToDo(session, plan.run, options)
    setOutlook(ASKED_FOR)
    const { features, slot, joined } = await startScores(session, model.name, plan.refresh, request)

    let ended = ''
    await follow(session, {
      quiet: options.json === true,
      check: async () => {
        const refresh = features === undefined ? undefined : await findRun(database.pool, features)
        if (refresh !== undefined && isOver(refresh) && refresh.state !== 'published') {
          ended = refresh.id
          return { done: true, runs: [refresh.id] }
        }
        const now = await findSlot(database.pool, 'scores', model.name, asOf.label)
        const id = joined ?? (now?.run === slot.run ? null : now?.run)
        const scoring = id == null ? undefined : await findRun(database.pool, id)
        if (scoring !== undefined) ended = scoring.id
        const runs = [refresh?.id, scoring?.id].filter((each) => each !== undefined)
        return { done: scoring !== undefined && isOver(scoring), runs }
      },
    })
    return reportEnd(session, ended, options)
  })
}

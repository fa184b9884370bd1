import { NO_WORKER, standstill } from '../../actions/standstill.ts'
import { withSession } from '../../host/session.ts'
import { rerun } from '../../jobs/rerun.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { personNamed } from '../../project/people.ts'
import { setOutlook } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { reportEnd } from '../terminal/ending.ts'
import { runNamed } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'
import { printNotice } from '../terminal/print.ts'

/** `retry RUN`: runs the slot of a failed or held run again and follows it. */
export default function retry(
  [id = '']: string[],
  options: GlobalOptions & { by?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const by = personNamed(project, options.by)
    const { run } = await runNamed(database.pool, id)
    setOutlook(
      'nightshift runs shows whether it was requested; if so it continues once a worker is running (nightshift up)',
    )
    for (const sentence of await standstill(database, project))
      if (sentence !== NO_WORKER) printNotice(sentence)
    const retried = await rerun(database, project, run, by)
    await follow(session, {
      quiet: options.json === true,
      check: async () => {
        const now = await findRun(database.pool, retried)
        return { done: now === undefined || isOver(now), runs: [retried] }
      },
    })
    return reportEnd(session, retried, options)
  })
}

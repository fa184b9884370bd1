import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { findBackfill } from '../../jobs/backfills/backfill-records.ts'
import { pauseBackfill } from '../../jobs/backfills/change-backfill.ts'
import { backfillNumber } from '../terminal/find.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `pause BACKFILL`: no new nights start; started nights still finish. */
export default function pause([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ database }) => {
    await pauseBackfill(database, backfillNumber(id))
    const now = await findBackfill(database.pool, backfillNumber(id))
    if (options.json) printJson(now)
    else if (now !== undefined) {
      const ending = now.active === 0 ? '' : `; ${now.active} started nights still finish`
      printLine(
        `backfill ${now.id} of ${now.model} is paused: ${now.published} of ${now.nights} nights published, ${now.left} left${ending}`,
      )
      printLine(`  to continue: nightshift resume ${now.id}`)
    }
    return 0
  })
}

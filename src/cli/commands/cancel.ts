import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { findBackfill } from '../../jobs/backfills/backfill-records.ts'
import { cancelBackfill } from '../../jobs/backfills/change-backfill.ts'
import { backfillNumber } from '../terminal/find.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `cancel BACKFILL`: nights not started are unchanged; started nights still finish. */
export default function cancel([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ database }) => {
    await cancelBackfill(database, backfillNumber(id))
    const now = await findBackfill(database.pool, backfillNumber(id))
    if (options.json) printJson(now)
    else if (now !== undefined) {
      const ending = now.active === 0 ? '' : `; ${now.active} started nights still finish`
      printLine(
        `backfill ${now.id} of ${now.model} is cancelled: ${now.published} of ${now.nights} nights published, ${now.left} unchanged${ending}`,
      )
    }
    return 0
  })
}

import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { resumeBackfill } from '../../jobs/backfills/change-backfill.ts'
import { backfillNumber } from '../terminal/find.ts'
import { followBackfill } from '../terminal/follow-backfill.ts'

/** `resume BACKFILL`: continues a paused backfill and follows it. A running one is only followed. */
export default function resume([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { id: number } = await resumeBackfill(session.database, backfillNumber(id))
    return followBackfill(session, number, options)
  })
}

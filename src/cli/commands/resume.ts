import type { GlobalOptions } from '../cli.ts'
import { resumeBackfill } from '../jobs/backfill/change.ts'
import { backfillNumber } from './find.ts'
import { followBackfill } from './follow-backfill.ts'
import { withSession } from './session.ts'

/** `resume BACKFILL`: goes on with a paused one, and follows it; one that runs is followed. */
export default function resume([id = '']: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { id: number } = await resumeBackfill(session.database, backfillNumber(id))
    return followBackfill(session, number, options)
  })
}

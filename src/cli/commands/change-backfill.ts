import { withSession } from '../../host/session.ts'
import { type Backfill, findBackfill } from '../../jobs/backfills/backfill-records.ts'
import { cancelBackfill, pauseBackfill, resumeBackfill } from '../../jobs/backfills/change-backfill.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { backfillNumber } from '../terminal/find.ts'
import { followBackfill } from '../terminal/follow-backfill.ts'
import { printJson, printLine } from '../terminal/print.ts'

/**
 * `pause BACKFILL`: no new nights start. `cancel BACKFILL`: nights not started are unchanged. In both cases started nights
 * still finish. `resume BACKFILL`: continues a paused one and follows it; a running one is only followed.
 */
export default function changeBackfill(
  [id = '']: string[],
  options: GlobalOptions & { by?: string },
  name: string,
): Promise<number> {
  return withSession(options, async (session) => {
    const { database, project } = session
    const number = backfillNumber(id)
    const by = personNamed(project, options.by)
    if (name === 'resume') {
      const { id } = await resumeBackfill(database, number, by)
      return followBackfill(session, id, options)
    }
    await (name === 'pause' ? pauseBackfill : cancelBackfill)(database, number, by)
    const now = await findBackfill(database.pool, number)
    if (options.json) printJson(now)
    else if (now !== undefined) print(now, name)
    return 0
  })
}

function print({ id, model, active, published, nights, left }: Backfill, name: string): void {
  const [state, rest] = name === 'pause' ? ['paused', 'left'] : ['cancelled', 'unchanged']
  const ending = active === 0 ? '' : `; ${active} started nights still finish`
  printLine(
    `backfill ${id} of ${model} is ${state}: ${published} of ${nights} nights published, ${left} ${rest}${ending}`,
  )
  if (name === 'pause') printLine(`  to continue: nightshift resume ${id}`)
}

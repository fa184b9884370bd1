import type { GlobalOptions } from '../../cli.ts'
import type { Session } from '../../host/session.ts'
import {
  type Backfill,
  type BrokenNight,
  brokenNights,
  findBackfill,
  leftNights,
} from '../../jobs/backfills/backfill-records.ts'
import { workerAlive } from '../../ledger/nights/alive.ts'
import { follow } from './follow.ts'
import { printJson, printLine } from './print.ts'
import { openProgress } from './progress-bar.ts'

/** The backfill's state when following ended. */
export interface Followed {
  backfill: Backfill
  broken: BrokenNight[]
}

/**
 * Follows a backfill to its end and prints how it ended. Ctrl-C ends only the following: the backfill itself is in the
 * ledger and continues.
 * @returns 0 where every night is published, or was left as it is because nothing was to be done any more
 */
export async function followBackfill(
  session: Session,
  id: number,
  options: GlobalOptions,
  more: Record<string, unknown> = {},
): Promise<number> {
  const { backfill, broken } = await watchBackfill(session, id, options)
  if (options.json) {
    printJson({ ...more, ...backfill, backfill: id, broken: broken.map(({ partition }) => partition) })
  } else report(backfill, broken, await leftNights(session.database.pool, id))
  return backfill.published + backfill.skipped === backfill.nights ? 0 : 1
}

/** Shows a backfill's progress until it has ended. Prints no summary. */
export async function watchBackfill(session: Session, id: number, options: GlobalOptions): Promise<Followed> {
  const { database } = session
  const bar = openProgress(options.json === true)
  let now: Backfill | undefined
  try {
    await follow(session, {
      quiet: true,
      places: 2,
      outlook: () => outlookOf(session, id),
      check: async () => {
        now = await findBackfill(database.pool, id)
        if (now === undefined) return { done: true, runs: [] }
        const title = titleOf(now)
        const over = now.published + now.failed + now.held + now.skipped
        bar.show(title, title, `${now.published} of ${now.nights} nights published`, {
          rows: over,
          total: now.nights,
        })
        return { done: now.state !== 'running', runs: [] }
      },
    })
  } finally {
    bar.close()
  }
  if (now === undefined) throw new Error(`backfill ${id} is not in the ledger`)
  return { backfill: now, broken: await brokenNights(database.pool, id) }
}

function titleOf({ id, model }: Backfill): string {
  return `backfill ${id} of ${model}`
}

function report(
  backfill: Backfill,
  broken: BrokenNight[],
  leftAlone: Awaited<ReturnType<typeof leftNights>>,
): void {
  const { id, model, state, published, nights, failed, held, skipped, left } = backfill
  const counts = [
    failed > 0 && `${failed} failed`,
    held > 0 && `${held} held`,
    skipped > 0 && `${skipped} left as they were`,
    left > 0 && `${left} not started`,
  ].filter((part) => part !== false)
  const stopped = state === 'done' ? '' : `, ${state}`
  printLine(
    `${titleOf(backfill)}: ${[`${published} of ${nights} nights published`, ...counts].join(', ')}${stopped}`,
  )
  for (const night of broken.slice(0, 5)) {
    const more = night.run === null ? night.reason : `nightshift show ${night.run}`
    printLine(`  ${night.partition} ${night.state}${more === null ? '' : `: ${more}`}`)
  }
  if (broken.length > 5) printLine(`  and ${broken.length - 5} more: nightshift runs ${model} --group`)
  for (const night of leftAlone.slice(0, 5)) {
    printLine(`  ${night.partition} was not run: ${night.reason}`)
  }
  if (leftAlone.length > 5) printLine(`  and ${leftAlone.length - 5} more that had not to be run any more`)
  const [first, last] = [broken[0], broken.at(-1)]
  if (first !== undefined && last !== undefined) {
    printLine(
      `  once that is fixed: nightshift backfill ${model} --from ${first.partition} --to ${last.partition} --failed`,
    )
  }
  if (state === 'paused') printLine(`  to continue: nightshift resume ${id}`)
}

async function outlookOf({ database }: Session, id: number): Promise<string> {
  const goesOn = (await workerAlive(database))
    ? `backfill ${id} goes on without you (nightshift backfills)`
    : `backfill ${id} continues once a worker is running (nightshift up), or with nightshift resume ${id}`
  return `${goesOn}; nightshift cancel ${id} ends it`
}

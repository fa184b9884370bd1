import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import type { Session } from '../../host/session.ts'
import { type Pace, paceOf } from '../../jobs/backfills/backfill-nights.ts'
import {
  type Backfill,
  type BrokenNight,
  brokenNights,
  findBackfill,
  leftNights,
} from '../../jobs/backfills/backfill-records.ts'
import { workerAlive } from '../../ledger/nights/alive.ts'
import type { GlobalOptions } from '../command.ts'
import { follow } from './follow.ts'
import { printJson, printLine } from './print.ts'
import { openProgress } from './progress-bar.ts'

/** The backfill's state when following ended. */
export interface Followed {
  backfill: Backfill
  broken: BrokenNight[]
}

/**
 * Follows backfills to their end with one bar, and prints how each ended. Ctrl-C ends only the following: the backfills themselves are
 * in the ledger and continue. `more`: what `--json` prints beside each; a list if there are several.
 * @returns 0 where every night is published, or was left as it is because nothing was to be done any more
 */
export async function followBackfills(
  session: Session,
  ids: number[],
  options: GlobalOptions,
  more: Record<string, unknown>[] = [],
): Promise<number> {
  const followed = await watchBackfills(session, ids, options)
  const printed = followed.map(({ backfill, broken }, index) => ({
    ...more[index],
    ...backfill,
    backfill: backfill.id,
    broken: broken.map(({ partition }) => partition),
  }))
  if (options.json) printJson(printed.length === 1 ? printed[0] : printed)
  else {
    for (const { backfill, broken } of followed)
      report(backfill, broken, await leftNights(session.database.pool, backfill.id))
  }
  return followed.every(({ backfill }) => backfill.published + backfill.skipped === backfill.nights) ? 0 : 1
}

export function followBackfill(session: Session, id: number, options: GlobalOptions): Promise<number> {
  return followBackfills(session, [id], options)
}

/** Shows a backfill's progress until it has ended. Prints no summary. */
export async function watchBackfill(session: Session, id: number, options: GlobalOptions): Promise<Followed> {
  const [followed] = await watchBackfills(session, [id], options)
  if (followed === undefined) throw new Error(`backfill ${id} is not in the ledger`)
  return followed
}

async function watchBackfills(session: Session, ids: number[], options: GlobalOptions): Promise<Followed[]> {
  const { pool } = session.database
  const bar = openProgress(options.json === true)
  let now: Backfill[] = []
  try {
    await follow(session, {
      quiet: true,
      places: 2,
      outlook: () => outlookOf(session, ids),
      check: async () => {
        const found = await Promise.all(ids.map((id) => findBackfill(pool, id)))
        now = found.filter((backfill) => backfill !== undefined)
        const paces = await Promise.all(ids.map((id) => paceOf(pool, id)))
        const { title, text, rows, total, detail } = progressOf(now, paces)
        bar.show('backfills', title, text, { rows, total, ...(detail === undefined ? {} : { detail }) })
        return { done: now.every(({ state }) => state !== 'running'), runs: [] }
      },
    })
  } finally {
    bar.close()
  }
  return Promise.all(
    now.map(async (backfill) => ({ backfill, broken: await brokenNights(pool, backfill.id) })),
  )
}

/**
 * What one bar says of backfills that run side by side: nights that are over, how many are held or failed, and by the pace of each how
 * fast they go and when the last of them ends. No detail before a night has ended, or when all have.
 */
export function progressOf(
  all: Backfill[],
  paces: (Pace | undefined)[],
): { title: string; text: string; rows: number; total: number; detail: string | undefined } {
  const sum = (of: (backfill: Backfill) => number) => all.reduce((total, each) => total + of(each), 0)
  const [nights, published, held, failed] = [
    sum((each) => each.nights),
    sum((each) => each.published),
    sum((each) => each.held),
    sum((each) => each.failed),
  ]
  const [only, ...others] = all
  const parts = [
    `${published} of ${nights} nights published`,
    ...(held > 0 ? [`${held} held`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ]
  const open = all.flatMap((each, index) => {
    const pace = paces[index]
    const left = each.active + each.left
    return pace === undefined || left === 0 ? [] : [{ perHour: (3600 * pace.nights) / pace.seconds, left }]
  })
  const perHour = open.reduce((total, each) => total + each.perHour, 0)
  const longest = Math.max(...open.map((each) => each.left / each.perHour))
  return {
    title: only === undefined || others.length > 0 ? `${all.length} backfills` : titleOf(only),
    text: parts.join(', '),
    rows: published + held + failed + sum((each) => each.skipped),
    total: nights,
    detail:
      open.length === 0
        ? undefined
        : `${count(Math.round(perHour))} nights an hour, about ${duration(longest * 3_600_000)} left`,
  }
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

async function outlookOf({ database }: Session, ids: number[]): Promise<string> {
  return outlook(ids, await workerAlive(database))
}

/** What becomes of backfills, in the order of their numbers, whose command is left. One sentence, however many they are. */
export function outlook(ids: number[], isWorkerAlive: boolean): string {
  const [first = 0, ...others] = ids
  const last = others.at(-1)
  const [subject, goes, continues, one, it] =
    last === undefined
      ? [`backfill ${first}`, 'goes', 'continues', String(first), 'it']
      : [`${count(ids.length)} backfills, ${first} to ${last},`, 'go', 'continue', 'ID', 'one']
  const what = isWorkerAlive
    ? `${goes} on without you (nightshift backfills)`
    : `${continues} once a worker is running (nightshift up), or with nightshift resume ${one}`
  return `${subject} ${what}; nightshift cancel ${one} ends ${it}`
}

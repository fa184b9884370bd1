import { staleAmong } from '../../actions/stale-partitions.ts'
import { standstill } from '../../actions/standstill.ts'
import { clockTime } from '../../format/clock-time.ts'
import { messageText } from '../../format/message-text.ts'
import { withSession } from '../../host/session.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { pathOf, publishedFiles } from '../../ledger/nights/published.ts'
import { type Connection, listSlots, recentSlots, type Slot } from '../../ledger/nights/slots.ts'
import { ANSWERS } from '../../monitoring/trust/trust.ts'
import { type Standing, standingVerdicts } from '../../monitoring/trust/verdict-records.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import type { Project } from '../../project/project.ts'
import { type AsOf, parseAsOf } from '../../project/time/asof.ts'
import type { GlobalOptions } from '../command.ts'
import { firstToSee, leftOut, QUIET } from '../terminal/first-to-see.ts'
import { printJson, printLine, printNotice, printTable } from '../terminal/print.ts'
import { printMutes } from '../terminal/print-mutes.ts'
import { printWorkers } from '../terminal/print-workers.ts'

interface Options extends GlobalOptions {
  asOf?: string
  days?: number
  limit?: number
}

/** Of the text. Data holds every night, unless the caller bounds it. */
const [DAYS, LIMIT] = [14, 40]

export default function status([name]: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model =
      name === undefined || project.views[name] !== undefined ? undefined : modelNamed(project, name)
    const now = await ledgerNow(database.pool)
    const names = name === undefined ? undefined : [name, ...(model === undefined ? [] : [model.view])]
    const { days = DAYS, limit = options.json === true ? Number.POSITIVE_INFINITY : LIMIT } = options
    if (options.asOf !== undefined && options.days !== undefined)
      throw new ConfigurationError('status: expected --as-of or --days, got both: --as-of is of one night')
    const asOf = options.asOf === undefined ? undefined : parseAsOf(options.asOf, project.timezone)
    const recent =
      asOf === undefined
        ? await recentSlots(database.pool, { names, days, now: now.toISOString() })
        : await slotsAt(database.pool, names, asOf)
    const isWhole = options.json === true && options.days === undefined && asOf === undefined
    const slots = isWhole ? await listSlots(database.pool, names === undefined ? {} : { names }) : recent
    const files = await publishedFiles(
      database.pool,
      slots.flatMap(({ published_run }) => published_run ?? []),
    )
    const stale = await staleAmong(session, recent).catch(notLooked)
    const verdicts = await standingVerdicts(
      database.pool,
      slots.map(({ id }) => id),
    )
    const rows = slots.map((slot) => {
      const published = files.get(slot.published_run ?? '')
      return {
        kind: slot.kind,
        name: slot.name,
        as_of: slot.partition,
        due: slot.due,
        deadline: slot.deadline,
        state: slot.state,
        late: isLate(slot, now),
        run: slot.run,
        path: published === undefined ? null : pathOf(project, published),
        rows: published?.rows ?? null,
        waits_for: slot.waits_for,
        wait_until: slot.wait_until,
        reason: slot.reason,
        stale: stale.get(slot.published_run ?? '') ?? null,
        verdict: verdicts.get(slot.id) ?? null,
      }
    })
    if (options.json) printJson(firstToSee(rows, limit))
    else {
      print(project, rows, { now, limit, name, asOf })
      await printMutes(database, project, now)
      await printWorkers(database.pool)
      // No process works on a simulation: it is over.
      const sentences = session.simulation === undefined ? await standstill(database, project) : []
      for (const sentence of sentences) printLine(sentence)
    }
    return 0
  })
}

/** Data that cannot be reached hides nothing else: what is stale is then not known, and said to be so. */
function notLooked(error: unknown): Map<string, string> {
  if (!(error instanceof Failure)) throw error
  printNotice(`which nights are stale is not known: ${error.message}`)
  return new Map()
}

/** Slots of one as-of: of a date also those of its hours, which are named in UTC. Newest first. */
async function slotsAt(connection: Connection, names: string[] | undefined, asOf: AsOf): Promise<Slot[]> {
  const around = (ms: number) => new Date(Date.parse(asOf.instant) + ms).toISOString()
  const near = await listSlots(connection, {
    ...(names && { names }),
    from: around(-TWO_DAYS_MS),
    to: around(TWO_DAYS_MS),
  })
  return near.filter(({ partition }) => partition === asOf.label || partition.startsWith(`${asOf.label}T`))
}

/** No zone is further from UTC. */
const TWO_DAYS_MS = 2 * 86_400_000

/** Past its deadline and not published. */
function isLate(slot: Slot, now: Date): boolean {
  return (
    slot.deadline !== null &&
    Date.parse(slot.deadline) < now.getTime() &&
    slot.state !== 'published' &&
    slot.state !== 'skipped'
  )
}

interface Row {
  kind: string
  name: string
  as_of: string
  due: string | null
  state: Slot['state']
  late: boolean
  run: string | null
  rows: number | null
  waits_for: string | null
  reason: string | null
  stale: string | null
  verdict: Standing | null
}

function print(
  project: Project,
  rows: Row[],
  { now, limit, name, asOf }: { now: Date; limit: number; name: string | undefined; asOf: AsOf | undefined },
): void {
  if (rows.length === 0) {
    const which = asOf === undefined ? 'yet' : `of ${asOf.label}`
    printLine(
      `no slots ${which}: \`nightshift up\` creates them from the schedules, \`nightshift run ${name ?? 'MODEL'} --as-of ${asOf?.label ?? 'D'}\` creates one`,
    )
    return
  }
  printLine(summary(project, rows, now))
  printLine()
  const shown = firstToSee(rows, limit)
  printTable(
    ['as of', 'kind', 'name', 'state', 'rows', 'run', 'due', ''],
    shown.map((row) => [
      row.as_of,
      row.kind,
      row.name,
      [row.state, row.late && 'late', row.stale !== null && 'stale']
        .filter((part) => part !== false)
        .join(', '),
      row.rows,
      row.run,
      clockTime(row.due, project.timezone),
      messageText(row.waits_for ?? row.reason ?? row.stale ?? '', project.timezone),
    ]),
    { spare: ['due', 'rows'] },
  )
  if (shown.length < rows.length) printLine(leftOut(rows, shown, name))
  printRepairs(rows)
  printVerdicts(rows, project)
}

/** `1 held, 2 stale; next night 2026-11-30 02:00 CET`. */
function summary(project: Project, rows: Row[], now: Date): string {
  const states = [...new Set(rows.map(({ state }) => state))].filter((state) => !QUIET.includes(state))
  const counts = [
    ...states.map((state) => [state, rows.filter((row) => row.state === state).length] as const),
    ['late', rows.filter(({ late }) => late).length] as const,
    ['stale', rows.filter(({ stale }) => stale !== null).length] as const,
  ].filter(([, count]) => count > 0)
  const [next] = rows
    .flatMap(({ due, state }) =>
      due !== null && state === 'expected' && Date.parse(due) > now.getTime() ? [due] : [],
    )
    .sort()
  const found =
    counts.length === 0 ? 'nothing is open' : counts.map(([state, count]) => `${count} ${state}`).join(', ')
  return next === undefined ? found : `${found}; next night ${clockTime(next, project.timezone)}`
}

function printRepairs(rows: Row[]): void {
  for (const name of new Set(
    rows.filter(({ stale, kind }) => stale !== null && kind === 'scores').map((row) => row.name),
  )) {
    const nights = rows.filter((row) => row.name === name && row.stale !== null && row.kind === 'scores')
    const asOfs = nights.map((row) => row.as_of).sort()
    printLine(
      `${name}: ${nights.length} stale ${nights.length === 1 ? 'night' : 'nights'}; to recompute: nightshift backfill ${name} --from ${asOfs[0]} --to ${asOfs.at(-1)} --stale`,
    )
  }
}

/** May the newest list of each model be used? Worst first; `show` has the reasons. Nothing where no verdict is kept. */
function printVerdicts(rows: Row[], { timezone }: Project): void {
  const newest = new Map<string, Row & { verdict: Standing }>()
  for (const { verdict, ...row } of rows)
    if (verdict !== null && (newest.get(row.name)?.as_of ?? '') < row.as_of)
      newest.set(row.name, { ...row, verdict })
  if (newest.size === 0) return
  const rank = ({ verdict }: { verdict: Standing }) => ANSWERS.indexOf(verdict.answer)
  printLine()
  printTable(
    ['newest list', 'as of', 'use it?', 'since', ''],
    [...newest.values()]
      .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
      .map(({ name, as_of, verdict: { run, answer, since } }) => [
        name,
        as_of,
        answer,
        clockTime(since, timezone),
        answer === 'yes' ? '' : `why: nightshift show ${run}`,
      ]),
  )
}

import {
  type NightRequest,
  planFeatures,
  planScores,
  startScores,
} from '../../actions/nights/request-night.ts'
import { tryNight, versionToTry } from '../../actions/nights/try-night.ts'
import { figure } from '../../format/numbers.ts'
import { type Session, withSession } from '../../host/session.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { Model } from '../../project/project.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'
import { followRefresh } from '../terminal/follow-refresh.ts'
import { printJson, printLine, printNotice } from '../terminal/print.ts'

export interface RunOptions extends GlobalOptions {
  asOf: string
  /** Of `run`: scores with this version, beside what is published. */
  version?: number
  force?: boolean
  by?: string
}

/**
 * `run MODEL --as-of D [--version N]`: refreshes features that are missing or stale, then scores. Does nothing if nothing
 * changed. With a version the scores are that version's, and are not published.
 */
export default function run([name = '']: string[], options: RunOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const asOf = await asOfToRun(database.pool, project, model, options.asOf)
    const by = personNamed(project, options.by)
    const request = { asOf, forced: options.force === true, by }
    if (options.version !== undefined) return tryVersion(session, model, options.version, request, options)
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

async function tryVersion(
  session: Session,
  model: Model,
  number: number,
  request: NightRequest,
  options: RunOptions,
): Promise<number> {
  const { database, project } = session
  const version = await versionToTry(session, model, number)
  const view = viewNamed(project, version.view)
  const currency = await planFeatures({ ...session, onRepaired: printNotice }, view, request)
  if (!currency.current) {
    const run = await followRefresh(session, view, request, options)
    if ((await findRun(database.pool, run))?.state !== 'published') return reportEnd(session, run, options)
  }
  const tried = await tryNight(session, model, version, request.asOf)
  if (options.json) {
    printJson({ ...tried, kind: 'trial', state: 'tried' })
    return 0
  }
  const { min, mean, max } = tried.summary
  printLine(
    `${model.name} ${tried.as_of}: ${tried.rows} rows scored with version ${number}, from ${figure(min)} to ${figure(max)}, ${figure(mean)} on average`,
  )
  for (const warning of tried.warnings) printLine(`  warning: ${warning}`)
  printLine(`  ${tried.path}`)
  printLine(`nothing is published: \`nightshift check ${model.name}\` says what a version lacks to go live`)
  return 0
}

import type { GlobalOptions } from '../../cli.ts'
import { type Session, withSession } from '../../host/session.ts'
import { requestFeatures, requestScores, settingsFor } from '../../jobs/request-run.ts'
import { findRun, isOver } from '../../ledger/nights/run-records.ts'
import { findSlot } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { champion, findVersion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { type Currency, featuresCurrency, putRight, scoresCurrency } from '../../workers/currency.ts'
import { ASKED_FOR, setOutlook } from '../../workers/interruption.ts'
import { reportEnd, reportNothingToDo } from '../terminal/ending.ts'
import { asOfToRun, personNamed } from '../terminal/find.ts'
import { follow } from '../terminal/follow.ts'

export interface RunOptions extends GlobalOptions {
  asOf: string
  force?: boolean
  by?: string
}

/** `run MODEL --as-of D`: refreshes features that are missing or stale, then scores. Does nothing if nothing changed. */
export default function run([name = '']: string[], options: RunOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const asOf = await asOfToRun(database.pool, project, model, options.asOf)
    const by = personNamed(project, options.by)
    const live = await champion(database.pool, model.name)
    const version = live && (await findVersion(database.pool, model.name, live.version))
    if (version === undefined) {
      throw new ConfigurationError(
        `model ${model.name} has no champion: nightshift register ${model.name} FILE.onnx, then nightshift promote ${model.name} --version 1`,
      )
    }
    const view = viewNamed(project, version.view)
    const forced = options.force === true
    await repairFile(session, 'features', view.name, asOf)
    await repairFile(session, 'scores', model.name, asOf)
    const features = forced ? forcedRefresh : await currencyOf(session, view, asOf)
    let featuresRun: string | undefined
    setOutlook(ASKED_FOR)
    if (features.current) {
      const scores = await scoresCurrency(database, model.name, asOf, {
        version: version.version,
        features: features.run,
      })
      if (scores.current) return reportNothingToDo(session, scores.run, options)
    } else {
      const request = {
        trigger: 'manual',
        forced,
        settings: settingsFor(project, 'features', view.name),
        by,
      } as const
      featuresRun = (await requestFeatures(database, view.name, asOf, request)).run
    }
    const { slot, joined } = await requestScores(database, model.name, asOf, {
      trigger: 'manual',
      forced,
      settings: settingsFor(project, 'scores', model.name),
      by,
    })

    let ended = ''
    await follow(session, {
      quiet: options.json === true,
      check: async () => {
        const refresh = featuresRun === undefined ? undefined : await findRun(database.pool, featuresRun)
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

/** Repairs a published file that is missing or belongs to another run, before anything is compared with it. */
export async function repairFile(
  { database, project, log }: Session,
  kind: 'features' | 'scores',
  name: string,
  { label }: AsOf,
): Promise<void> {
  const context = { database, warehouse: project.warehouse, project: () => project, log }
  const repaired = await putRight(context, kind, name, label)
  if (repaired !== undefined) process.stderr.write(`${repaired}\n`)
}

const forcedRefresh: Currency = { current: false, reason: 'forced' }

export async function currencyOf(session: Session, view: View, asOf: AsOf): Promise<Currency> {
  return withChild(session.project, async (children, stop) => {
    try {
      return await featuresCurrency({ database: session.database, children }, session.project, view, asOf)
    } catch (error) {
      stop.throwIfAborted()
      // The inputs cannot be compared (a missing file, broken SQL): the run itself meets and records the same error.
      return { current: false, reason: error instanceof Error ? error.message : String(error) }
    }
  })
}

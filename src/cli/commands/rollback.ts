import { withRollbackLock } from '../../actions/rollback/roll-back.ts'
import { takeBack } from '../../actions/rollback/take-back.ts'
import { refuseTarget, withdrawChampion } from '../../actions/rollback/withdraw-champion.ts'
import { duration } from '../../format/elapsed.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { openHost } from '../../host/host.ts'
import { type Session, withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { modelNamed } from '../../project/named.ts'
import { authorNamed } from '../../project/people.ts'
import type { Model } from '../../project/project.ts'
import { setOutlook, tidily } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { watchBackfill } from '../terminal/follow-backfill.ts'
import { printJson, printLine } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  to?: number
  from?: string
  withdraw?: true
  reason?: string
  by?: string
}

/**
 * `rollback MODEL [--to N] [--from D]`: makes the previous champion the champion again. Its shadow scores replace those of
 * the newest night (with --from, of all nights from D on) in the same transaction; nights without shadow scores are
 * scored again. `--withdraw`: no version is champion afterwards.
 */
export default function rollback([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const model = modelNamed(session.project, name)
    setOutlook(
      'committed changes are kept; nightshift history lists them, and the same command completes the rollback',
    )
    return withRollbackLock(session, model, (mine) =>
      tidily(() =>
        options.withdraw ? withdraw(session, model, options) : goBack(session, model, options, mine),
      ),
    )
  })
}

async function goBack(session: Session, model: Model, options: Options, mine: boolean): Promise<number> {
  const start = performance.now()
  const by = authorNamed(session.project, options.by, 'rollback')
  const request = { to: options.to, from: options.from, reason: options.reason, by }
  const host = await openHost(session, { role: 'command', places: 0, scope: 'requested' })
  const { from, to, republished, cold, backfill, seconds } = await takeBack(
    host.context,
    model,
    request,
    mine,
  ).finally(() => host.close())
  if (!options.json) {
    printLine(
      to.version === from
        ? `version ${to.version} of ${model.name} is the champion already; its nights are restored`
        : `version ${to.version} of ${model.name} is the champion again, version ${from} was`,
    )
    if (republished.length > 0) {
      printLine(
        `  its existing scores of ${nightsText(republished)} are published: ${duration(seconds * 1000)}`,
      )
    }
    if (cold.length > 0) printLine(`  ${nightsText(cold)}: scored again`)
  }
  const rescored =
    backfill === undefined ? { published: 0, failed: cold } : await follow(session, backfill, options)
  const result = {
    from,
    to: to.version,
    seconds: (performance.now() - start) / 1000,
    rescored: rescored.published,
    republished,
    failed: rescored.failed,
  }
  if (options.json) printJson(result)
  return rescored.failed.length === 0 ? 0 : 1
}

/** For a first version, which has none to go back to. */
async function withdraw(session: Session, model: Model, options: Options): Promise<number> {
  refuseTarget(model, options.to)
  const start = performance.now()
  const by = authorNamed(session.project, options.by, 'rollback')
  const { from, reason } = options
  const { project, database } = session
  const context = {
    ...{ database, warehouse: project.warehouse, project: () => project },
    clock: ledgerClock(database),
  }
  const { version, nights } = await withdrawChampion(context, model, { from, reason, by })
  await postIfAlone(session)
  const seconds = (performance.now() - start) / 1000
  if (options.json) printJson({ from: version, to: null, seconds, rescored: 0, withdrawn: nights })
  else {
    printLine(`version ${version} of ${model.name} is out of service: the model has no champion`)
    if (nights.length > 0)
      printLine(`  its scores of ${nightsText(nights)} are no longer published: ${duration(seconds * 1000)}`)
    printLine('  pause its schedule until another version is promoted: nights without a champion fail')
  }
  return 0
}

async function follow(
  session: Session,
  id: number,
  options: Options,
): Promise<{ published: number; failed: string[] }> {
  const { backfill, broken } = await watchBackfill(session, id, options)
  return { published: backfill.published, failed: broken.map(({ partition }) => partition) }
}

function nightsText(labels: string[]): string {
  return labels.length <= 3 ? labels.join(', ') : `${labels.length} nights, ${labels.at(-1)} to ${labels[0]}`
}

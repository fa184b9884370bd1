import { clockTime, hourAndMinute } from '../../format/clock-time.ts'
import { duration } from '../../format/elapsed.ts'
import { messageText } from '../../format/message-text.ts'
import { figure } from '../../format/numbers.ts'
import { openQuietLog } from '../../host/open-log.ts'
import { type Session, withSession } from '../../host/session.ts'
import { removeSimulation } from '../../host/simulation/remove-simulation.ts'
import { continueSimulation, type SimulationRequest, simulate } from '../../host/simulation/simulate.ts'
import { listSimulations } from '../../host/simulation/simulation-folder.ts'
import { reportOf, type SimulationReport } from '../../host/simulation/simulation-report.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { Project } from '../../project/project.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { printGate } from '../terminal/print-gate.ts'
import { openProgress } from '../terminal/progress-bar.ts'

interface Options extends GlobalOptions {
  from?: string
  to?: string
  challenger?: number
  continue?: string
  list?: boolean
  remove?: string
  by?: string
}

/** `simulate MODEL --from D --to D [--challenger N]`, `simulate --continue ID --to D`, `simulate --list`, `simulate --remove ID`. */
export default function simulateCommand([name]: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    if (options.list === true) return list(session, options)
    if (options.remove !== undefined) {
      const removed = await removeSimulation(session, options.remove)
      if (options.json) printJson(removed)
      else printLine(`removed simulation ${removed.id}`)
      return 0
    }
    const bar = openProgress(options.json === true)
    const inside = { ...session, log: openQuietLog(session.environment.logLevel) }
    const onTime = (_now: Date, { nights, of }: { nights: number; of: number }) =>
      bar.show('nights', name ?? 'simulation', `${nights} of ${of} nights`, { rows: nights, total: of })
    const report = await begin(inside, name, options, onTime).finally(() => bar.close())
    if (options.json) printJson(report)
    else print(session.project, report)
    return 0
  })
}

/** Begins a simulation, or goes on with one. */
function begin(
  session: Session,
  name: string | undefined,
  { from, to, challenger, by, continue: id }: Options,
  onTime: SimulationRequest['onTime'],
): Promise<SimulationReport> {
  if (id !== undefined) {
    if (name !== undefined || from !== undefined || challenger !== undefined || to === undefined)
      throw new ConfigurationError(
        'simulate --continue: expected --continue ID --to D alone: its model, its first night and its versions are those of the simulation',
      )
    return continueSimulation(session, { id, to, onTime }, reportOf)
  }
  if (name === undefined || from === undefined || to === undefined)
    throw new ConfigurationError(
      'simulate: expected MODEL --from D --to D, or --continue ID --to D, or --list, or --remove ID, such as nightshift simulate churn --from 2026-09-01 --to 2026-09-30',
    )
  const model = modelNamed(session.project, name)
  const who = personNamed(session.project, by)
  return simulate(session, model, { from, to, challenger, by: who, onTime }, reportOf)
}

function list({ project }: Session, { json }: Options): number {
  const all = listSimulations(project.root)
  if (json) printJson(all)
  else if (all.length === 0) printLine('no simulations: nightshift simulate MODEL --from D --to D')
  else {
    printTable(
      ['id', 'model', 'from', 'to', 'champion', 'challenger', 'state', 'started', ''],
      all.map((each) => [
        each.id,
        each.model,
        each.from,
        each.to,
        each.champion,
        each.challenger,
        each.state,
        clockTime(each.started_at, project.timezone),
        each.drill === null
          ? each.reason
          : [`drill ${each.drill}`, each.reason].filter((text) => text !== null).join(': '),
      ]),
    )
    printLine('to remove one: nightshift simulate --remove ID')
  }
  return 0
}

function print({ timezone }: Project, report: SimulationReport): void {
  const { id, model, nights, mails } = report
  printLine(
    `${nights.length} ${nights.length === 1 ? 'night' : 'nights'} of ${model} on a simulated clock, ${champions(report)}: simulation ${id}, ${duration((report.seconds ?? 0) * 1000)}`,
  )
  printLine()
  printTable(
    ['as of', 'state', 'published', 'version', 'rows', 'AUC', 'drifted', ''],
    nights.map((night) => [
      night.as_of,
      night.late ? `${night.state}, late` : night.state,
      night.published_at === null ? '' : hourAndMinute(night.published_at, timezone),
      night.version,
      night.rows,
      night.auc === null ? '' : figure(night.auc),
      night.drifted.join(', '),
      night.state === 'published' ? '' : messageText(night.reason ?? '', timezone),
    ]),
  )
  printLine()
  if (mails.length === 0) printLine('no mail would have gone out')
  else {
    printLine(`${mails.length} ${mails.length === 1 ? 'mail' : 'mails'} would have gone out:`)
    printTable(
      ['at', 'to', 'subject', ''],
      mails.map(({ at, to, subject, first_line }) => [clockTime(at, timezone), to, subject, first_line]),
    )
  }
  printLine()
  printLine(drift(report))
  for (const { at, reason } of report.retrainings)
    printLine(`a retraining would have begun at ${clockTime(at, timezone)}: ${reason}`)
  printLine()
  printGate(report.gate, id)
  printLine()
  printLine(
    `look into it: nightshift status ${model} --simulation ${id}, nightshift check ${model} --simulation ${id}; remove it: nightshift simulate --remove ${id}`,
  )
}

function champions({ champion, challenger }: SimulationReport): string {
  const live = champion === null ? 'without a champion' : `version ${champion} as champion`
  return challenger === null ? live : `${live}, version ${challenger} beside it`
}

function drift({ nights }: SimulationReport): string {
  const drifted = nights.filter((night) => night.drifted.length > 0)
  if (drifted.length === 0) return 'no night drifted'
  const alerting = nights.filter((night) => night.alerting.length > 0)
  const first =
    alerting[0] === undefined ? '' : `, first ${alerting[0].as_of} (${alerting[0].alerting.join(', ')})`
  return `${drifted.length} of ${nights.length} nights drifted, ${alerting.length} of them with an alert${first}`
}

import { startShadow, stopShadow } from '../../actions/shadow-version.ts'
import { clockTime } from '../../format/clock-time.ts'
import { messageText } from '../../format/message-text.ts'
import { count, figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { withSession } from '../../host/session.ts'
import {
  countText,
  type JudgedNight,
  realizedText,
  rivalText,
} from '../../monitoring/shadow/counted-nights.ts'
import { type ShadowStanding, shadowStandings } from '../../monitoring/shadow/shadow-standing.ts'
import type { ShadowWindow } from '../../monitoring/shadow/shadow-window.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  version?: number
  stop?: boolean
  by?: string
}

/** Nights shown on a terminal; `--json` prints all. */
const SHOWN = 14

/** `shadow MODEL [--version N [--stop]]`: starts or stops a challenger, and prints how the challengers compare. */
export default function shadow([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const { version, stop = false } = options
    if (version === undefined && (stop || options.by !== undefined)) {
      throw new ConfigurationError(
        `shadow: expected --version N together with ${stop ? '--stop' : '--by'}; without it the versions in shadow are listed`,
      )
    }
    const lines: string[] = []
    if (version !== undefined) {
      const request = { version, by: personNamed(project, options.by) }
      if (stop) {
        const stopped = await stopShadow(session, model, request)
        lines.push(
          stopped
            ? `version ${version} of ${model.name} scores no further nights in shadow; its nights are kept`
            : `version ${version} of ${model.name} is not in shadow`,
        )
      } else {
        const { started, warnings } = await startShadow(session, model, request)
        lines.push(
          started
            ? `version ${version} of ${model.name} scores in shadow from the next night on`
            : `version ${version} of ${model.name} is in shadow already`,
          ...warnings.map((warning) => `  warning ${warning}`),
        )
      }
    }
    const standings = (await shadowStandings(database.pool, model)).filter(
      (standing) => version === undefined || standing.version === version,
    )
    if (options.json) {
      printJson(standings)
      return 0
    }
    for (const line of lines) printLine(line)
    for (const standing of standings) print(standing, project.timezone)
    if (standings.length === 0 && version === undefined)
      printLine(`no version of ${model.name} is in shadow: nightshift shadow ${model.name} --version N`)
    return 0
  })
}

function print(standing: ShadowStanding, timezone: string): void {
  const { version, state, started_at, stopped_at, against, counted, required, window } = standing
  const since = `since ${clockTime(started_at, timezone)}`
  const until = state === 'ended' ? ` until ${clockTime(stopped_at, timezone)}` : ''
  printLine('')
  printLine(
    `version ${version}, in shadow ${since}${until}: ${countText({ counted, required })}, compared with ${rivalText(against)}`,
  )
  if (window !== undefined) printWindow(window)
  for (const breach of standing.breaches) printLine(`  not met: ${breach}`)
  const nights = standing.nights.slice(-SHOWN)
  if (nights.length === 0) return
  printLine('')
  printTable(
    [
      'night',
      'compared with',
      'rows',
      'rank correlation',
      'top overlap',
      'to positive',
      'to negative',
      'distance',
      'realized',
      'counts',
    ],
    nights.map((night) => rowOf(night, timezone)),
  )
  if (nights.length < standing.nights.length)
    printLine(`the newest ${SHOWN} of ${standing.nights.length} nights; --json prints all`)
}

function printWindow({ from, to, rank_correlation, top_overlap, flips, distance }: ShadowWindow): void {
  const both = (
    { mean, worst }: { mean: number | null; worst: number | null },
    show: (value: number | null) => string,
  ) => (mean === null ? 'none' : `${show(mean)} on average, ${show(worst)} at worst`)
  printLine(`  ${from} to ${to}`)
  printLine(`  rank correlation   ${both(rank_correlation, figure)}`)
  printLine(`  top overlap        ${both(top_overlap, percent)}`)
  if (flips.mean !== null)
    printLine(
      `  decisions change   ${both(flips, percent)}; ${count(flips.to_positive)} to positive, ${count(flips.to_negative)} to negative`,
    )
  printLine(`  distance           ${both(distance, figure)}`)
}

function rowOf(night: JudgedNight, timezone: string) {
  const { partition, against, against_version: version, figures, realized, counts, why } = night
  return [
    partition,
    against === null ? '' : rivalText({ kind: against, version }),
    figures?.rows.both,
    figure(figures?.rank_correlation),
    percent(figures?.top.overlap),
    figures?.flips?.to_positive,
    figures?.flips?.to_negative,
    figure(figures?.distance.ks),
    realizedText(realized),
    counts ? 'yes' : messageText(why ?? '', timezone),
  ]
}

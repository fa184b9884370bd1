import { createInterface } from 'node:readline/promises'
import { beginBackfill, nightsToRun, planBackfillOf } from '../../actions/nights/request-backfill.ts'
import type { GlobalOptions } from '../../cli.ts'
import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { withSession } from '../../host/session.ts'
import type { BackfillMode, BackfillPlan } from '../../jobs/backfills/plan-backfill.ts'
import { planText, stretchesOf } from '../../jobs/backfills/plan-stretches.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { interrupt, setOutlook } from '../../workers/interruption.ts'
import { followBackfill } from '../terminal/follow-backfill.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

export interface BackfillOptions extends GlobalOptions {
  from: string
  to: string
  missing?: boolean
  failed?: boolean
  stale?: boolean
  all?: boolean
  version?: number
  asWas?: boolean
  maxActive?: number
  dryRun?: boolean
  yes?: boolean
  by?: string
}

/** `backfill MODEL --from D --to D`: shows its plan, asks for confirmation, and follows it to the end. */
export default function backfill([name = '']: string[], options: BackfillOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project } = session
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const planned = await planBackfillOf(session, model, { ...options, mode: modeOf(options) })
    const { plan } = planned
    const runs = nightsToRun(plan).length
    if (options.dryRun) {
      if (options.json) printJson(plan)
      else printPlan(plan)
      return 0
    }
    if (!options.json) printPlan(plan)
    if (runs === 0) {
      if (options.json) printJson({ ...plan, backfill: null, published: 0, broken: [] })
      return 0
    }
    if (!(await agreed(options, runs))) return 2
    setOutlook(
      'nightshift backfills shows whether it was started; if so it continues once a worker is running (nightshift up)',
    )
    const id = await beginBackfill(session, planned, by)
    if (id === undefined) {
      printLine('nothing left to run: another backfill has taken these nights in the meantime')
      return 0
    }
    return followBackfill(session, id, options, { ...plan })
  })
}

function modeOf(options: BackfillOptions): BackfillMode {
  const modes = (['missing', 'failed', 'stale', 'all'] as const).filter((mode) => options[mode] === true)
  if (modes.length > 1) {
    throw new ConfigurationError(
      `backfill: expected one of --missing, --failed, --stale and --all, got: ${modes.map((mode) => `--${mode}`).join(' ')}`,
    )
  }
  return modes[0] ?? 'missing'
}

function printPlan(plan: BackfillPlan): void {
  printTable(
    ['as of', 'action', 'version', 'reason'],
    stretchesOf(plan.slots).map(({ nights, action, version, reason }) => [nights, action, version, reason]),
  )
  const runs = nightsToRun(plan).length
  const estimate = plan.estimate_seconds === null ? '' : `, about ${duration(plan.estimate_seconds * 1000)}`
  const rows = plan.rows === null || runs === 0 ? '' : `, about ${count(plan.rows)} rows`
  printLine(`${planText(plan)}${rows}${estimate}`)
}

async function agreed(options: BackfillOptions, runs: number): Promise<boolean> {
  if (options.yes) return true
  if (process.stdin.isTTY !== true) {
    throw new ConfigurationError(
      `backfill: expected --yes, because there is no terminal to ask for confirmation; --dry-run only shows the plan`,
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // On a terminal that reads keys Ctrl-C is a key, and Ctrl-D is no answer.
  terminal.once('SIGINT', () => interrupt('SIGINT'))
  const noAnswer = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([terminal.question(`run ${runs} nights? [y/N] `), noAnswer])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

import {
  beginBackfill,
  nightsToRun,
  type PlannedBackfill,
  planBackfillOf,
} from '../../actions/nights/request-backfill.ts'
import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { withSession } from '../../host/session.ts'
import type { BackfillMode, BackfillPlan } from '../../jobs/backfills/plan-backfill.ts'
import { planText, stretchesOf } from '../../jobs/backfills/plan-stretches.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import { setOutlook } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { askYes } from '../terminal/ask-yes.ts'
import { followBackfills } from '../terminal/follow-backfill.ts'
import { printJson, printLine, printNotice, printTable } from '../terminal/print.ts'

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

/** `backfill MODEL... --from D --to D`: shows one plan, asks once, and follows all of it to the end. */
export default function backfill(names: string[], options: BackfillOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project } = session
    const models = [...new Set(names)].map((name) => modelNamed(project, name))
    if (models.length > 1 && options.version !== undefined) {
      throw new ConfigurationError(
        `backfill: --version ${options.version} is a version of one model, got: ${models.map(({ name }) => name).join(', ')}. Backfill that model by itself`,
      )
    }
    const by = personNamed(project, options.by)
    const planned: PlannedBackfill[] = []
    for (const model of models)
      planned.push(await planBackfillOf(session, model, { ...options, mode: modeOf(options) }))
    const plans = planned.map(({ plan }) => plan)
    if (options.dryRun && options.json) printJson(plans.length === 1 ? plans[0] : plans)
    else if (!options.json) printPlans(plans)
    if (options.dryRun) return 0
    const toRun = planned.filter(({ plan }) => nightsToRun(plan).length > 0)
    if (toRun.length === 0) {
      const none = plans.map((plan) => ({ ...plan, backfill: null, published: 0, broken: [] }))
      if (options.json) printJson(none.length === 1 ? none[0] : none)
      return 0
    }
    if (!(await agreed(options, toRun))) return 2
    setOutlook(
      'nightshift backfills shows whether it was started; if so it continues once a worker is running (nightshift up)',
    )
    const begun: { id: number; plan: BackfillPlan }[] = []
    for (const each of toRun) {
      const id = await beginBackfill(session, each, by)
      if (id !== undefined) begun.push({ id, plan: each.plan })
      else
        printNotice(
          `${each.plan.name}: nothing left to run: another backfill has taken these nights in the meantime`,
        )
    }
    if (begun.length === 0) return 0
    return followBackfills(
      session,
      begun.map(({ id }) => id),
      options,
      begun.map(({ plan }) => ({ ...plan })),
    )
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

function printPlans(plans: BackfillPlan[]): void {
  for (const plan of plans) {
    if (plans.length > 1) printLine(plan.name)
    printTable(
      ['as of', 'action', 'version', 'reason'],
      stretchesOf(plan.slots).map(({ nights, action, version, reason }) => [nights, action, version, reason]),
    )
    printLine(`${planText(plan)}${costText([plan])}`)
    if (plans.length > 1) printLine('')
  }
  if (plans.length === 1) return
  const [slots, refresh] = [plans.flatMap((plan) => plan.slots), plans.flatMap((plan) => plan.refresh)]
  printLine(`${plans.length} models: ${planText({ slots, refresh })}${costText(plans)}`)
}

/** Rows and time; of models that run side by side the longest time. Nothing of what is not known. */
function costText(plans: BackfillPlan[]): string {
  const known = plans.filter((plan) => nightsToRun(plan).length > 0)
  const rows = known.flatMap((plan) => plan.rows ?? [])
  const seconds = known.flatMap((plan) => plan.estimate_seconds ?? [])
  return [
    ...(rows.length === 0 || rows.length < known.length
      ? []
      : [`, about ${count(rows.reduce((sum, each) => sum + each, 0))} rows`]),
    ...(seconds.length < Math.max(1, known.length)
      ? []
      : [`, about ${duration(Math.max(...seconds) * 1000)}`]),
  ].join('')
}

function agreed(options: BackfillOptions, planned: PlannedBackfill[]): Promise<boolean> {
  if (options.yes) return Promise.resolve(true)
  const runs = planned.reduce((sum, { plan }) => sum + nightsToRun(plan).length, 0)
  return askYes(
    `run ${runs} nights${planned.length === 1 ? '' : ` of ${planned.length} models`}?`,
    'backfill: expected --yes, because there is no terminal to ask for confirmation; --dry-run only shows the plan',
  )
}
